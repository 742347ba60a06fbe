// XLA's custom calls, on the CPU and on a GPU, and what the package throng.jax asks of the compiled module.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings/python/functional_env.hpp"
#include "bindings/python/xla_ffi_abi.hpp"
#include "core/error.hpp"

namespace throng {

namespace py = pybind11;

namespace {

// XLA asks a handler for its version and traits by an extension, in a call without arguments.
bool tells_metadata(const xla::CallFrame& frame) {
  if (frame.extensions == nullptr || frame.extensions->type != xla::kMetadata) return false;
  xla::Metadata& metadata = *reinterpret_cast<xla::MetadataExtension*>(frame.extensions)->metadata;
  metadata.api_version.major_version = xla::kMajor;
  metadata.api_version.minor_version = xla::kMinor;
  metadata.traits = xla::kRecordable;
  return true;
}

std::string attribute(const xla::CallFrame& frame, const std::string& name) {
  const xla::Attributes& all = frame.attributes;
  for (int64_t i = 0; i < all.size; ++i) {
    if (std::string(all.names[i]->data, all.names[i]->size) != name || all.types[i] != xla::kString) continue;
    const auto* text = static_cast<const xla::Text*>(all.values[i]);
    return std::string(text->data, text->size);
  }
  throw Error("throng's custom call lacks the attribute " + name);
}

void* stream_of(const xla::CallFrame& frame) {
  xla::StreamArgs arguments = {sizeof(xla::StreamArgs), nullptr, frame.context, nullptr};
  if (frame.api->stream(&arguments) != nullptr) throw Error("XLA has no stream for throng's custom call");
  return arguments.stream;
}

// "cuda:1": where XLA runs the call.
std::string device_of(const xla::CallFrame& frame) {
  xla::OrdinalArgs arguments = {sizeof(xla::OrdinalArgs), nullptr, frame.context, 0};
  const bool can_tell = frame.api->struct_size > offsetof(xla::Api, device_ordinal);  // older ones cannot
  if (can_tell && frame.api->device_ordinal(&arguments) != nullptr) throw Error("XLA does not name its device");
  return "cuda:" + std::to_string(arguments.ordinal);
}

// Arguments: carried, and the input if the operation has one. Results: carried, shown, outcomes.
void run(const xla::CallFrame& frame, const std::string& device, void* stream) {
  FunctionalEnv& env = functional_env(attribute(frame, "plan"), device);
  const std::string name = attribute(frame, "operation");
  const auto operation = name == "step"    ? FunctionalEnv::kStep
                         : name == "reset" ? FunctionalEnv::kReset
                                           : FunctionalEnv::kObserve;
  const size_t carried = env.carried().size(), inputs = operation == FunctionalEnv::kObserve ? 0 : 1;
  const size_t results = carried + env.shown().size() + (operation == FunctionalEnv::kStep ? env.outcomes().size() : 0);
  if (frame.arguments.size != int64_t(carried + inputs) || frame.results.size != int64_t(results)) {
    throw Error("throng's custom call got another number of arrays than its plan has");
  }
  std::vector<const void*> before;  // XLA gives most of them the same memory, as it was told that it may
  for (size_t i = 0; i < carried; ++i) before.push_back(frame.arguments.buffers[i]->data);
  std::vector<void*> arrays;
  for (size_t i = 0; i < results; ++i) arrays.push_back(frame.results.buffers[i]->data);
  const xla::Buffer& obs = *frame.results.buffers[carried];
  env.call(operation, static_cast<int>(obs.dims[0]), before, arrays,
           inputs ? frame.arguments.buffers[carried]->data : nullptr, stream);
}

// What `work` throws becomes XLA's error.
template <class Work>
xla::Error* guarded(const xla::CallFrame& frame, const Work& work) noexcept {
  std::string said;
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    said = error.what();
  }
  xla::ErrorArgs arguments = {sizeof(xla::ErrorArgs), nullptr, said.c_str(), xla::kInternal};
  return frame.api->create_error(&arguments);
}

xla::Error* handle_on_cpu(xla::CallFrame* frame) {
  if (tells_metadata(*frame)) return nullptr;
  return guarded(*frame, [&] { run(*frame, "cpu", nullptr); });
}

xla::Error* handle_on_cuda(xla::CallFrame* frame) {
  if (tells_metadata(*frame)) return nullptr;
  return guarded(*frame, [&] { run(*frame, device_of(*frame), stream_of(*frame)); });
}

// Comes before XLA runs the calls of a program, or records them into a CUDA graph. Of what a first launch does - the memory,
// the kernel - nothing can be recorded.
xla::Error* prepare_on_cuda(xla::CallFrame* frame) {
  if (tells_metadata(*frame)) return nullptr;
  return guarded(*frame, [&] { functional_env(attribute(*frame, "plan"), device_of(*frame)); });
}

py::list forms(const std::vector<ArrayForm>& arrays) {
  py::list list;
  for (const ArrayForm& array : arrays) {
    list.append(py::make_tuple(array.name, array.dtype, py::tuple(py::cast(array.shape))));
  }
  return list;
}

py::dict functional(const std::string& plan) {
  const FunctionalEnv& env = functional_env(plan, "cpu");
  py::dict dict;
  dict["spec"] = env.spec();
  dict["carried"] = forms(env.carried());
  dict["shown"] = forms(env.shown());
  dict["outcomes"] = forms(env.outcomes());
  return dict;
}

}  // namespace

void bind_jax(py::module_& m) {
  m.def("functional", &functional, py::arg("plan"));
  m.def("xla_handlers", [] {
    const auto capsule = [](xla::Handler* handler) { return py::capsule(reinterpret_cast<void*>(handler)); };
    py::dict handlers, on_cuda;
    on_cuda["initialize"] = capsule(&prepare_on_cuda);
    on_cuda["execute"] = capsule(&handle_on_cuda);
    handlers["cpu"] = capsule(&handle_on_cpu);
    handlers["CUDA"] = on_cuda;
    return handlers;
  });
}

}  // namespace throng
