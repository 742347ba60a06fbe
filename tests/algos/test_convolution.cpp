// Convolutions: the first ratio, codes against planes, pieces against the whole, the network of SocialJax, CPU against GPU.
#include "algos/convolution.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "algos/ppo.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"
#include "tests/algos/promises.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

namespace {

EnvSpec grid_spec(ObsGrid grid, const std::string& dtype = "F32", bool pixels = false) {
  EnvSpec spec = synthetic::spec(3, 5, grid.planes * grid.cells(), 3, 0);
  spec.obs_grid = grid;
  spec.obs_dtype = dtype;
  spec.obs_high = synthetic::kCodes - 1;
  spec.pixels = pixels;
  return spec;
}

EnvSpec codes() { return grid_spec({1, 11, 11}, "U8"); }

TrainConfig with_cnn(std::vector<int> filters = {16, 8}) {
  TrainConfig config = synthetic::config();
  config.cnn = std::move(filters);
  config.activation = kRelu;
  return config;
}

struct Kind {
  std::string name;
  EnvSpec spec;
  TrainConfig config;
};

std::vector<Kind> kinds() {
  TrainConfig shared = with_cnn(), central = with_cnn(), recurrent = with_cnn({8}), strided = with_cnn();
  shared.share_layers = true;
  central.algo = kMappo;
  recurrent.gru_size = 8;
  recurrent.hidden_sizes = {8};
  strided.cnn_kernels = {4, 3};
  strided.cnn_strides = {2, 1};
  strided.cnn_padding = kValid;
  return {{"codes, shared", codes(), shared},
          {"codes, central critic", codes(), central},
          {"codes, recurrent", codes(), recurrent},
          {"planes of numbers, strided", grid_spec({3, 12, 9}), strided},
          {"pixels, strided", grid_spec({2, 12, 9}, "U8", true), strided}};
}

// Logits of some rows of observations.
std::vector<float> logits(Ppo& ppo, const void* obs, int64_t rows) {
  const Rollout& r = ppo.rollout();
  std::vector<uint8_t> avail(rows * r.num_actions, 1);
  std::vector<int32_t> actions(rows);
  Observations seen{const_cast<void*>(obs), avail.data(), nullptr, nullptr};
  ppo.act_on(seen, nullptr, nullptr, rows, true, key(0), 0, actions.data());
  const float* output = ppo.policy().output(0).data;
  return {output, output + rows * r.num_actions};
}

}  // namespace

TEST_CASE("with convolutions the first minibatch has ratio exactly 1") {
  for (const std::string& name : test_devices()) {
    auto device = open_device(name);
    for (auto& [kind, spec, config] : kinds()) {
      INFO(name << ", " << kind);
      config.num_envs = 96;  // more rows than patches are gathered of at a time
      promises::first_ratio_is_one(device, spec, config);
    }
  }
}

TEST_CASE("codes are convolved as one-hot planes are") {
  auto device = open_device("cpu");
  const TrainConfig config = with_cnn();
  constexpr int kCells = 121, kRows = 9;
  Ppo of_codes(device, codes(), 3, {config}), of_planes(device, grid_spec({synthetic::kCodes, 11, 11}), 3, {config});
  of_planes.load(of_codes.parameters(), {});
  std::vector<uint8_t> seen(kRows * kCells);
  std::vector<float> planes(kRows * synthetic::kCodes * kCells, 0.0f);
  for (size_t i = 0; i < seen.size(); ++i) {
    seen[i] = static_cast<uint8_t>(below(key(8), static_cast<uint32_t>(i), synthetic::kCodes));
    planes[(i / kCells * synthetic::kCodes + seen[i]) * kCells + i % kCells] = 1;
  }
  const auto one = logits(of_codes, seen.data(), kRows), other = logits(of_planes, planes.data(), kRows);
  float largest = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    CHECK(one[i] == Approx(other[i]).margin(1e-6));
    largest = std::max(largest, std::abs(one[i]));
  }
  CHECK(largest > 1e-3f);
}

TEST_CASE("many samples go through a convolution in pieces, and come out as one by one") {
  auto device = open_device("cpu");
  const auto matmul = make_matmul(device);
  const Sliding sliding = Sliding::of(9, 8, 3, 1, kSame);
  constexpr int kIn = 32, kOut = 8;
  Parameters layout;
  Convolution layer("x", sliding, CellLayout::together(kIn), kOut, kRelu, 1.4f, layout);
  const int64_t samples = Convolution::kPatchNumbers / (sliding.places() * 9 * kIn) * 2 + 5;
  const int64_t in = sliding.cells() * kIn, out = layer.numbers();
  Arena arena(device);
  Reducer reducer;
  float* patches = nullptr;
  layer.want(arena, 1, samples, true);
  arena.want(patches, layer.patch_numbers(1));
  reducer.want(arena, 1, kOut);
  arena.commit();
  const std::vector<float> parameters = layout.initial(key(2)), x = synthetic::numbers(samples * in, key(3), -1, 1);
  const std::vector<float> d = synthetic::numbers(samples * out, key(4), -1, 1);
  std::vector<float> all(layout.size()), one(layout.size()), sum(layout.size()), dx(samples * in), dx_one(in);

  const Groups alone{1, layout.size()};
  const Rows seen{x.data(), in};
  const Compute whole{alone, *device, *matmul, reducer, parameters.data(), all.data()};
  const Rows y = layer.forward(whole, samples, seen, patches);
  const std::vector<float> outputs(y.data, y.data + samples * out);
  std::vector<float> d_out = d;
  layer.backward(whole, samples, seen, {d_out.data(), out}, {dx.data(), in}, patches);

  const Compute single{alone, *device, *matmul, reducer, parameters.data(), one.data()};
  for (int64_t sample = 0; sample < samples; ++sample) {
    const float* one_y = layer.forward(single, 1, seen.from(sample), patches).data;
    REQUIRE(std::equal(one_y, one_y + out, outputs.begin() + sample * out));  // the same bits
    std::copy_n(d.begin() + sample * out, out, d_out.begin());
    layer.backward(single, 1, seen.from(sample), {d_out.data(), out}, {dx_one.data(), in}, patches);
    for (int64_t i = 0; i < in; ++i) REQUIRE(dx_one[i] == Approx(dx[sample * in + i]).margin(1e-5));
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
  }
  for (size_t i = 0; i < sum.size(); ++i) CHECK(all[i] == Approx(sum[i]).margin(1e-3).epsilon(1e-4));
}

TEST_CASE("seeds of harvest that are trained side by side learn what each learns alone") {
  const Folder folder;
  const auto make_harvest = [](const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                               const nlohmann::json& config) { return make(id, std::move(device), options, config); };
  std::vector<Run> runs(3);
  for (size_t k = 0; k < runs.size(); ++k) {
    runs[k].env = "harvest";
    runs[k].env_config = {{"map", "mini"}, {"num_agents", 2}, {"time_limit", 20}};
    runs[k].device = "cpu";
    runs[k].folder = folder.file(std::to_string(k));
    runs[k].train = with_cnn({8, 4});
    runs[k].train.seed += k;
    runs[k].train.num_envs = 12;
    runs[k].train.total_timesteps = 2 * runs[k].train.steps_per_update();
  }
  Trainer all(runs, make_harvest);
  all.update(), all.update();
  for (size_t k = 0; k < runs.size(); ++k) {
    runs[k].folder += "_alone";
    Trainer one(runs[k], make_harvest);
    one.update(), one.update();
    const auto expected = one.learner().parameters(), got = all.learner().parameters(static_cast<int>(k));
    for (const auto& [path, tensor] : expected) {
      INFO(path);
      const bool same = tensor.data == got.at(path).data;
      CHECK(same);
    }
  }
}

TEST_CASE("the network of SocialJax has its layers and as many parameters") {
  TrainConfig config = with_cnn({32, 32, 32});
  config.cnn_kernels = {5, 3, 3};
  config.hidden_sizes = config.head_sizes = {64};
  config.share_layers = true;
  EnvSpec spec = grid_spec({15, 11, 11});
  spec.num_actions = 8;
  const Ppo ppo(open_device("cpu"), spec, 2, {config});
  CHECK(ppo.layout().count() == 287'305);
  const auto& pieces = ppo.layout().pieces();
  CHECK(pieces[0].name == "params,Conv_0,kernel");
  CHECK(pieces[0].shape == std::vector<int64_t>{5, 5, 15, 32});
  CHECK(pieces[4].name == "params,Conv_2,kernel");
  CHECK(pieces[6].name == "params,Dense_0,kernel");
  CHECK(pieces[6].shape == std::vector<int64_t>{11 * 11 * 32, 64});
}

TEST_CASE("what convolutions cannot do is refused") {
  const auto device = open_device("cpu");
  const auto refuses = [&](const EnvSpec& spec, const TrainConfig& config, const std::string& why) {
    INFO(why);
    CHECK_THROWS_MATCHES(
        [&] {
          config.check();
          Ppo(device, spec, 2, {config});
        }(),
        Error, Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring(why)));
  };
  TrainConfig config = with_cnn();
  refuses(synthetic::spec(), config, "are no grid");
  config.cnn_kernels = {3, 3, 3};
  refuses(codes(), config, "cnn_kernels must have one number");
  config.cnn_kernels = {12};
  config.cnn_padding = kValid;
  refuses(codes(), config, "does not fit");
  refuses(codes(), with_cnn({6}), "multiples of 4");
  refuses(grid_spec({1, 4, 4}, "U8", true), synthetic::config(), "need cnn");
}

TEST_CASE("CPU and GPU agree on the gradients of convolutions") {
  if (test_devices().size() == 1) SKIP(cuda_status());
  for (Kind kind : kinds()) {
    INFO(kind.name);
    const EnvSpec& spec = kind.spec;
    TrainConfig& config = kind.config;
    config.update_epochs = config.num_minibatches = 1;
    const auto moments = [&](const std::string& name) {
      auto device = open_device(name);
      auto learner = make_learner(device, spec, config.num_envs, {config});
      synthetic::fill(*learner, *device, key(31));
      learner->update(1e-3f);
      return learner->optimizer_state();
    };
    const auto cpu = moments("cpu"), gpu = moments("cuda:0");
    for (const auto& [path, tensor] : cpu) {
      if (!path.starts_with("first,")) continue;
      INFO(path);
      const auto expected = tensor.as<float>(), got = gpu.at(path).as<float>();
      for (size_t i = 0; i < expected.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-6));
    }
  }
}
