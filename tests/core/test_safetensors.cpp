// safetensors: the bytes that are written, and every kind of damage that must be refused.
#include "core/safetensors.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"
#include "core/file.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;

namespace {

// A file name of this process that disappears with the test.
class TestFile {
 public:
  TestFile() : path_(fs::temp_directory_path() / ("throng_" + std::to_string(::getpid()) + ".safetensors")) {}
  ~TestFile() { fs::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string with_length(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

void check_refused(const std::string& content, const std::string& defect) {
  CAPTURE(content);
  const TestFile file;
  write_file_atomically(file.path(), content);
  CHECK_THROWS_MATCHES(
      read_safetensors(file.path()), Error,
      MessageMatches(ContainsSubstring("'" + file.path() + "' is not a sound safetensors file: " + defect)));
}

SafeTensors two_tensors() {
  const std::vector<uint8_t> bytes = {1, 2, 3};
  const std::vector<float> floats = {1.5f, -2.0f};
  SafeTensors content;
  content.tensors["a"] = Tensor::of<uint8_t>({3}, bytes);
  content.tensors["b"] = Tensor::of<float>({2, 1}, floats);
  return content;
}

}  // namespace

TEST_CASE("every dtype reads back, with its shape and the metadata") {
  const TestFile file;
  SafeTensors content = two_tensors();
  const std::vector<int32_t> ints = {-1, INT32_MAX};
  const std::vector<uint32_t> words = {7, UINT32_MAX};
  const std::vector<int64_t> longs = {INT64_MIN};
  const std::vector<uint64_t> keys = {UINT64_MAX};
  const std::vector<double> doubles = {0.1, 0.2, 0.3, 0.4};
  content.tensors["i32"] = Tensor::of<int32_t>({2}, ints);
  content.tensors["u32"] = Tensor::of<uint32_t>({2}, words);
  content.tensors["i64"] = Tensor::of<int64_t>({}, longs);
  content.tensors["u64"] = Tensor::of<uint64_t>({1}, keys);
  content.tensors["f64"] = Tensor::of<double>({2, 2}, doubles);
  content.tensors["none"] = Tensor::of<float>({0, 5}, {});
  content.metadata = {{"config", "{\"gamma\": 0.99}"}, {"step", "12"}};
  write_safetensors(file.path(), content);

  const SafeTensors back = read_safetensors(file.path());
  CHECK(back.metadata == content.metadata);
  REQUIRE(back.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    CAPTURE(name);
    CHECK(back.at(name).dtype == tensor.dtype);
    CHECK(back.at(name).shape == tensor.shape);
    CHECK(back.at(name).data == tensor.data);
  }
  CHECK(back.at("f64").dtype == "F64");
  CHECK(back.at("f64").as<double>()[3] == 0.4);
  CHECK(back.at("u64").as<uint64_t>()[0] == UINT64_MAX);
  CHECK(back.at("i64").shape.empty());
  CHECK(back.at("i64").as<int64_t>()[0] == INT64_MIN);
  CHECK(back.at("none").as<float>().empty());
}

TEST_CASE("the bytes are those of the reference: wide types first, header padded to eight") {
  const TestFile file;
  write_safetensors(file.path(), two_tensors());
  const std::string header = R"({"b":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\xc0\x3f\x00\x00\x00\xc0\x01\x02\x03", 11);
  CHECK(read_file(file.path()) == with_length(padded, data));
}

TEST_CASE("a damaged file is refused by name and defect") {
  const TestFile file;
  write_safetensors(file.path(), two_tensors());
  const std::string whole = read_file(file.path());
  check_refused(whole.substr(0, whole.size() - 1), "tensors take 11 bytes, the file holds 10 (cut short?)");
  check_refused(whole + "x", "tensors take 11 bytes, the file holds 12");
  check_refused(whole.substr(0, 40), "cut short within the header");
  check_refused(whole.substr(0, 5), "too short");
  check_refused("", "too short");
  check_refused(std::string(8, '\xff') + "{}", "a header of 18446744073709551615 bytes is too long");
  check_refused(with_length("[1]     ", ""), "the header does not begin with '{'");
  check_refused(with_length("{\"a\": ", ""), "header: parse error at line 1");
  check_refused(with_length("{}", "x"), "tensors take 0 bytes, the file holds 1");
}

TEST_CASE("a header that contradicts itself is refused") {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  const auto check = [](const std::string& body, int data_bytes, const std::string& defect) {
    check_refused(with_length("{" + body + "}", std::string(static_cast<size_t>(data_bytes), 'x')), defect);
  };
  const std::string good = "\"a\":" + entry("U8", "[4]", "[0,4]");
  const TestFile file;
  write_file_atomically(file.path(), with_length("{" + good + "}", "wxyz"));
  CHECK(read_safetensors(file.path()).at("a").as<uint8_t>()[3] == 'z');

  check(good + ",\"b\":" + entry("U8", "[2]", "[3,5]"), 5, "an overlap before tensor 'b'");
  check(good + ",\"b\":" + entry("U8", "[2]", "[5,7]"), 7, "a gap before tensor 'b'");
  check("\"a\":" + entry("U8", "[4]", "[1,5]"), 5, "a gap before tensor 'a'");
  check(good + "," + good, 4, "header: key \"a\" appears twice");
  check("\"a\":" + entry("F32", "[4]", "[0,4]"), 4, "'a': data_offsets [0,4] do not hold the 16 bytes of F32 [4]");
  check("\"a\":" + entry("U8", "[4]", "[4,0]"), 4, "'a': data_offsets [4,0] do not hold");
  check("\"a\":" + entry("F33", "[1]", "[0,4]"), 4, "'a': unknown dtype 'F33': did you mean 'F32'?");
  check("\"a\":" + entry("U8", "[-4]", "[0,4]"), 4, "'a': an extent must be a natural number, found -4");
  check("\"a\":" + entry("U8", "[2.0]", "[0,2]"), 2, "'a': an extent must be a natural number, found 2.0");
  check("\"a\":" + entry("U8", "[4294967296,4294967296]", "[0,0]"), 0, "'a': impossible shape");
  check("\"a\":" + entry("U8", "4", "[0,4]"), 4, "'a': shape must be a list");
  check("\"a\":" + entry("U8", "[4]", "[0,2,4]"), 4, "'a': data_offsets must be [begin, end]");
  check("\"a\":{\"dtype\":\"U8\",\"shape\":[4]}", 4, "'a': must have exactly dtype, shape and data_offsets");
  check("\"__metadata__\":{\"step\":1}", 0, "'__metadata__': 'step' must be a string");
  check("\"__metadata__\":[]", 0, "'__metadata__': must be an object");
}

TEST_CASE("the caller's mistakes are named") {
  const SafeTensors content = two_tensors();
  CHECK_THROWS_MATCHES(content.at("bb"), Error, Message("unknown tensor 'bb': did you mean 'b'? valid: a, b"));
  CHECK_THROWS_MATCHES(content.at("b").as<int32_t>(), Error, Message("a tensor of F32 was read as I32"));
  const std::vector<float> five(5);
  CHECK_THROWS_MATCHES(Tensor::of<float>({2, 3}, five), Error, Message("F32 [2,3] takes 24 bytes, not 20"));
}

TEST_CASE("what would not read back is not written") {
  const TestFile file;
  SafeTensors content = two_tensors();
  content.tensors["a"].data.pop_back();
  CHECK_THROWS_MATCHES(write_safetensors(file.path(), content), Error,
                       Message("tensor 'a': U8 [3] takes 3 bytes, not 2"));
  content = two_tensors();
  content.tensors["__metadata__"] = content.tensors["a"];
  CHECK_THROWS_AS(write_safetensors(file.path(), content), Error);
  content = two_tensors();
  content.metadata["note"] = "\xff";
  CHECK_THROWS_AS(write_safetensors(file.path(), content), Error);
  CHECK_FALSE(fs::exists(file.path()));
}

TEST_CASE("a full disk keeps the last good checkpoint") {
  const TestFile file;
  write_safetensors(file.path(), two_tensors());
  SafeTensors large;
  large.tensors["w"] = Tensor::of<float>({50000}, std::vector<float>(50000));

  rlimit old = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100000, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK_THROWS_AS(write_safetensors(file.path(), large), MachineError);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);

  CHECK(read_safetensors(file.path()).at("b").as<float>()[0] == 1.5f);
  write_safetensors(file.path(), large);
  CHECK(read_safetensors(file.path()).at("w").shape == std::vector<int64_t>{50000});
}
