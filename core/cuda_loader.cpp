// Opens the CUDA back end if there is one; a program without it runs on the CPU.
#include "core/cuda_loader.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

#include "core/device.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace throng {

namespace {

struct CudaLibrary {
  void* handle = nullptr;
  std::string path;
  std::string why;  // when there is none
};

std::string folder_of_this_object() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&folder_of_this_object), &info);
  const std::string path = info.dli_fname ? info.dli_fname : "";
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// The library must be of the same build as the program: objects with C++ types pass between the two.
bool same_version(void* handle) {
  const auto version = reinterpret_cast<const char* (*)()>(dlsym(handle, "throng_cuda_version"));
  return version && std::string(version()) == kVersion;
}

CudaLibrary open_library() {
  CudaLibrary library;
  std::vector<std::string> paths;
  if (const char* path = std::getenv("THRONG_CUDA_LIB")) {
    paths = {path};
  } else {  // beside the Python module or the program in its build folder; the installed prefix
    paths = {folder_of_this_object() + "/libthrong_cuda.so", THRONG_LIBDIR "/libthrong_cuda.so"};
  }
  for (const std::string& path : paths) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle && same_version(handle)) return {handle, path, ""};
    const char* error = handle ? nullptr : dlerror();
    library.why +=
        (library.why.empty() ? "" : "; ") + (error ? std::string(error) : path + " is of another version of throng");
    if (handle) dlclose(handle);
  }
  return library;
}

const CudaLibrary& library() {
  static const CudaLibrary opened = open_library();
  return opened;
}

}  // namespace

void* cuda_symbol(const std::string& name) {
  if (!library().handle) throw Error("the CUDA library could not be opened: " + library().why);
  void* symbol = dlsym(library().handle, name.c_str());
  if (!symbol) throw Error("the CUDA library " + library().path + " has no " + name);
  return symbol;
}

int cuda_device_count() {
  static const int count = library().handle ? cuda_function<int()>("throng_cuda_device_count")() : 0;
  return count;
}

std::string cuda_status() {
  if (!library().handle) return "no CUDA library (" + library().why + ")";
  if (cuda_device_count() == 0) return cuda_function<const char*()>("throng_cuda_why_none")();
  return std::to_string(cuda_device_count()) + " GPU(s) through " + library().path;
}

}  // namespace throng
