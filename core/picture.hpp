// Pictures of one environment of a batch: its state is fetched to the host, and the game draws it there.
#pragma once

#include <vector>

#include "core/canvas.hpp"
#include "core/instance.hpp"
#include "core/launch.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Every `num_envs`-th of `count` elements.
template <class T>
std::vector<std::byte> download_column(Device& device, const T* from, int count, int num_envs) {
  auto* together = static_cast<T*>(device.allocate(sizeof(T) * count + 1));
  Backend::each(device, count, [=] THRONG_HD(int64_t i) { together[i] = from[i * num_envs]; });
  auto bytes = download(device, reinterpret_cast<const std::byte*>(together), sizeof(T) * count);
  device.release(together);
  return bytes;
}

// Copies the state of environment `e` out of its batch.
template <class Env>
void fetch(Device& device, const typename Env::State& state, int num_envs, int e, HostInstance<Env>& to) {
  typename Env::State from = state, near = to.env().s;
  std::vector<std::vector<std::byte>> columns;
  from.fields(to.params(), [&](const char*, auto& field, int count) {
    columns.push_back(download_column(device, field.data + e, count, num_envs));
  });
  auto column = columns.begin();
  near.fields(to.params(), [&](const char*, auto& field, int count) {
    using T = typename std::remove_reference_t<decltype(field)>::Value;
    const T* values = reinterpret_cast<const T*>((column++)->data());
    for (int i = 0; i < count; ++i) field[i] = values[i];
  });
}

// All of it, or what an agent sees.
template <class Env>
Image draw(HostInstance<Env>& instance, int size, int agent = VecEnv::kWhole) {
  Canvas canvas(size);
  if (agent == VecEnv::kWhole) instance.env().render(canvas);
  if constexpr (HasRenderView<Env>) {
    if (agent != VecEnv::kWhole) instance.env().render_view(agent, canvas);
  }
  return canvas.image();
}

// What the step that begins in this state will look like: the game's own frames of it, or only its end. The instance is
// stepped once for every frame, each time from the same state and with the same draws, and each time a little further.
template <class Env>
std::vector<Image> draw_step(HostInstance<Env>& instance, ActionRows<ActionOf<Env>> actions, int num_rewards,
                             int num_objectives, Rng rng, int size) {
  int frames = 1;
  if constexpr (HasFrames<Env>) frames = Env::frames(instance.params());
  std::vector<Image> images;
  for (int frame = 1; frame <= frames; ++frame) {
    typename Env::Params params = instance.params();
    if constexpr (HasFrames<Env>) params = Env::until_frame(params, frame);
    HostInstance<Env> copy(params);
    copy.take_state(instance);
    std::vector<float> rewards(static_cast<size_t>(num_rewards), 0.0f);
    copy.env().step(actions, Rewards{rewards.data(), num_objectives}, rng);
    images.push_back(draw(copy, size));
  }
  return images;
}

}  // namespace throng
