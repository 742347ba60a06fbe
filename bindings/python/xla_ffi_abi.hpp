// The part of XLA's FFI ABI that a custom call needs, declared by hand, so that building throng needs no JAX.
#pragma once

#include <cstddef>
#include <cstdint>

// From the interface described in xla/ffi/api/c_api.h, which is binary-stable within a major version: structures only grow
// at their end, so what stands here is good for every minor version of 0.
namespace throng::xla {

inline constexpr int kMajor = 0, kMinor = 1;  // the oldest that has all of this

struct Extension {
  size_t struct_size;
  int32_t type;  // kMetadata
  Extension* next;
};
inline constexpr int32_t kMetadata = 1;

struct ApiVersion {
  size_t struct_size;
  Extension* extensions;
  int major_version;
  int minor_version;
};

// What a handler tells of itself when it is called with this extension.
struct Metadata {
  size_t struct_size;
  ApiVersion api_version;
  uint32_t traits;
};
inline constexpr uint32_t kRecordable = 1;  // a trait: calls may be recorded into a CUDA graph
struct MetadataExtension {
  Extension base;
  Metadata* metadata;
};

struct Error;
enum ErrorCode : int32_t { kInvalidArgument = 3, kInternal = 13 };
struct ErrorArgs {
  size_t struct_size;
  Extension* extensions;
  const char* message;
  ErrorCode code;
};

struct Context;
struct StreamArgs {
  size_t struct_size;
  Extension* extensions;
  Context* context;
  void* stream;  // out: cudaStream_t
};

struct OrdinalArgs {
  size_t struct_size;
  Extension* extensions;
  Context* context;
  int32_t ordinal;  // out
};

struct Api {
  size_t struct_size;
  Extension* extensions;
  ApiVersion api_version;
  const void* internal;
  Error* (*create_error)(ErrorArgs*);
  void* error_message;
  void* destroy_error;
  void* register_handler;
  Error* (*stream)(StreamArgs*);
  void* between[12];
  Error* (*device_ordinal)(OrdinalArgs*);
};

enum DataType : int32_t { kPred = 1, kS8 = 2, kS16 = 3, kS32 = 4, kU8 = 6, kU16 = 7, kU32 = 8, kF32 = 11 };
struct Buffer {
  size_t struct_size;
  Extension* extensions;
  DataType dtype;
  void* data;
  int64_t rank;
  int64_t* dims;
};

struct Text {
  const char* data;
  size_t size;
};

struct Arguments {  // and results
  size_t struct_size;
  Extension* extensions;
  int64_t size;
  int32_t* types;
  Buffer** buffers;
};

struct Attributes {
  size_t struct_size;
  Extension* extensions;
  int64_t size;
  int32_t* types;  // kString: the value is a Text
  Text** names;
  void** values;
};
inline constexpr int32_t kString = 4;

struct CallFrame {
  size_t struct_size;
  Extension* extensions;
  const Api* api;
  Context* context;
  int32_t stage;  // ours are registered for one stage each
  Arguments arguments;
  Arguments results;
  Attributes attributes;
};
using Handler = Error*(CallFrame*);

static_assert(offsetof(Api, create_error) == 48 && offsetof(Api, stream) == 80 && offsetof(Api, device_ordinal) == 184);
static_assert(sizeof(Buffer) == 48 && sizeof(Arguments) == 40 && sizeof(Attributes) == 48);
static_assert(offsetof(CallFrame, arguments) == 40 && offsetof(CallFrame, attributes) == 120);

}  // namespace throng::xla
