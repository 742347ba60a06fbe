// FirstLayer: the dense layer that meets a game's own rows - numbers or cell codes, one row per agent or per environment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "algos/by_code.hpp"
#include "algos/compute.hpp"
#include "algos/parameters.hpp"
#include "core/bfloat16.hpp"
#include "core/spec.hpp"

namespace throng {

// What a network sees. A row of codes stands for the row of numbers in which every cell is a one-hot vector of `num_codes`;
// that row is never made: the rows of the kernel that the codes name are added up.
struct View {
  int dim = 0;          // numbers or cells of a row
  int num_codes = 0;    // 0: float32 numbers; otherwise uint8 codes below this
  int sharing = 1;      // neighbouring agents that see the same row
  int num_ids = 0;      // not 0: a one-hot agent number is appended, of so many agents in turn
  int goal_dim = 0;     // numbers that are appended for each agent, see Goal
  ObsGrid grid = {};    // what a CNN takes the row for
  bool pixels = false;  // bytes, of which 255 is 1: only a CNN takes them

  bool codes() const { return num_codes > 0; }
  int features() const { return codes() ? dim * num_codes : dim; }
  int inputs() const { return features() + num_ids; }  // rows of the kernel; goals have one of their own
  bool plain() const {
    return sharing == 1 && num_ids == 0 && goal_dim == 0;
  }  // a row of its own, and nothing appended
  // The row of the kernel that a cell's code names; a code that is too high counts as the highest.
  THRONG_HD int kernel_row(const uint8_t* codes, int cell) const {
    return cell * num_codes + bounded_code(codes[cell], num_codes);
  }
};

// The rows of a view, and the goals [group, rows, goal_dim] of the agents who see them. Where networks store samples in bfloat16
// (see HalfNetwork) the rows may be so, too.
struct Seen {
  const void* rows;
  const float* goals = nullptr;
  const Bfloat16* half = nullptr;  // [group, rows, half_width(dim)]
};

// What is appended to rows is never written beside them: its products are added to theirs.
class FirstLayer {
 public:
  FirstLayer(const std::string& path, const View& view, int out, Activation activation, float gain,
             Parameters& parameters)
      : view_(view),
        out_(out),
        activation_(activation),
        kernel_(parameters.add(path + ",kernel", {view.inputs(), out}, Init::orthogonal(gain))),
        bias_(parameters.add(path + ",bias", {out}, Init::zeros())) {
    if (view.goal_dim > 0)
      goal_kernel_ = parameters.add(path + "_goal,kernel", {view.goal_dim, out}, Init::orthogonal(kGoalGain * gain));
  }

  const View& view() const { return view_; }
  int out() const { return out_; }
  Activation activation() const { return activation_; }
  int64_t kernel() const { return kernel_; }
  int64_t bias() const { return bias_; }
  int columns_summed() const { return out_ * std::max(1, view_.num_ids); }  // at once; what the Reducer needs room for

  void want(Arena& arena, int groups, int64_t rows, bool train) {
    arena.want(output_, groups * Matmul::padded(rows) * out_);
    if (view_.sharing > 1) arena.want(of_view_, groups * Matmul::padded(rows / view_.sharing) * out_);
    if (train && view_.codes()) arena.want(partial_, groups * kCodeParts * int64_t(view_.features()) * out_);
  }

  // [group, rows, out] for rows [group, rows / sharing, dim]. They have no padding between groups, and behind the last as many rows as
  // make a block whole (see Matmul).
  Rows forward(const Compute& c, int64_t rows, const Seen& seen) {
    const void* x = seen.rows;
    const int64_t views = rows / view_.sharing;
    if (!view_.codes()) return forward(c, rows, numbers(x, views), seen.goals);
    add_codes(c, views, static_cast<const uint8_t*>(x));
    return complete(c, rows, seen.goals);
  }
  // The same for numbers that a layer before has made.
  Rows forward(const Compute& c, int64_t rows, Rows x, const float* goals) {
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    const int64_t views = rows / view_.sharing;
    if (view_.plain()) {
      c.matmul.forward(c.groups, rows, view_.dim, out_, x, kernel, bias, activation_,
                       Matmul::packed(output_, rows, out_));
    } else {
      c.matmul.forward(c.groups, views, view_.dim, out_, x, kernel, nullptr, kIdentity,
                       Matmul::packed(product(), views, out_));
    }
    return complete(c, rows, goals);
  }

  // Gradients of kernel and bias from `d_out` [group, rows, out], which becomes the gradient before the activation.
  void backward(const Compute& c, int64_t rows, const Seen& seen, float* d_out) {
    const void* x = seen.rows;
    const int64_t views = rows / view_.sharing;
    if (!view_.codes()) return backward(c, rows, numbers(x, views), seen.goals, d_out, nullptr);
    codes_backward(c, views, static_cast<const uint8_t*>(x), to_views(c, rows, seen.goals, d_out));
  }
  // The same for the numbers of a layer before, and their gradient in `d_x` [group, rows / sharing, dim], unless that is null.
  void backward(const Compute& c, int64_t rows, Rows x, const float* goals, float* d_out, float* d_x) {
    const int64_t views = rows / view_.sharing;
    const Rows d = Matmul::packed(to_views(c, rows, goals, d_out), views, out_);
    c.matmul.backward_weight(c.groups, views, view_.dim, out_, x, d, c.gradients + kernel_);
    if (d_x == nullptr) return;
    c.matmul.backward_input(c.groups, views, view_.dim, out_, d, c.parameters + kernel_,
                            Matmul::packed(d_x, views, view_.dim), false);
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  void add_codes(const Compute& c, int64_t views, const uint8_t* x) const {
    const View view = view_;
    const int out = out_;
    const bool whole = view.plain();
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    float* y = whole ? output_ : product();
    const Activation activation = activation_;
    const int64_t apart = c.groups.apart, y_apart = Matmul::padded(views);
    each_element(c.device, c.groups.count, views, Columns::count_blocks(out),
                 [=] THRONG_BODY(int g, int64_t r, int block) {
                   const Columns columns{block, Columns::count_blocks(out), out};
                   const uint8_t* codes = x + (g * views + r) * view.dim;
                   float* to = y + (g * y_apart + r) * out;
                   float sum[Columns::kMost];
                   columns.each([&](int k, int column) { sum[k] = whole ? bias[g * apart + column] : 0.0f; });
                   for (int cell = 0; cell < view.dim; ++cell) {
                     const float* row = kernel + g * apart + int64_t(view.kernel_row(codes, cell)) * out;
                     columns.each([&](int k, int column) { sum[k] += row[column]; });
                   }
                   columns.each([&](int k, int column) { to[column] = whole ? activate(activation, sum[k]) : sum[k]; });
                 });
  }

  // From the rows of views to those of agents, where anything is appended: their numbers, their goals, the bias, the activation.
  Rows complete(const Compute& c, int64_t rows, const float* goals) const {
    const OutRows output = Matmul::packed(output_, rows, out_);
    if (view_.plain()) return output;
    const View view = view_;
    const int out = out_;
    const float *from = product(), *bias = c.parameters + bias_;
    const float* ids = c.parameters + kernel_ + int64_t(view.features()) * out;
    const float* of_goals = c.parameters + goal_kernel_;
    float* y = output_;
    const Activation activation = activation_;
    const int64_t apart = c.groups.apart, y_apart = Matmul::padded(rows);
    const int64_t from_apart = Matmul::padded(rows / view.sharing);
    each_element(c.device, c.groups.count, rows, (out + kWidth - 1) / kWidth,
                 [=] THRONG_BODY(int g, int64_t r, int block) {
                   const int first = block * kWidth, count = out - first < kWidth ? out - first : kWidth;
                   const int64_t own = g * apart + first;
                   const float* product = from + (g * from_apart + r / view.sharing) * out + first;
                   float sum[kWidth];
                   for (int k = 0; k < count; ++k) sum[k] = product[k];
                   if (view.num_ids > 0) {
                     const float* row = ids + own + r % view.num_ids * out;
                     for (int k = 0; k < count; ++k) sum[k] += row[k];
                   }
                   for (int j = 0; j < view.goal_dim; ++j) {
                     const float number = goals[(g * rows + r) * view.goal_dim + j];
                     for (int k = 0; k < count; ++k) sum[k] += number * of_goals[own + j * out + k];
                   }
                   float* to = y + (g * y_apart + r) * out + first;
                   for (int k = 0; k < count; ++k) to[k] = activate(activation, sum[k] + bias[own + k]);
                 });
    return output;
  }

  // The gradient before the activation, of the rows of views; those of the bias and of what is appended on the way.
  float* to_views(const Compute& c, int64_t rows, const float* goals, float* d_out) const {
    before_activation(c, rows, d_out);
    for (int j = 0; j < view_.goal_dim; ++j) goal_backward(c, rows, j, goals, d_out);
    if (view_.sharing == 1) return d_out;
    gather_view(c, rows / view_.sharing, d_out);
    return of_view_;
  }

  // Through the activation; and the sums over rows: of the agents' numbers, and of all, which is the bias's.
  void before_activation(const Compute& c, int64_t rows, float* d_out) const {
    const float* y = output_;
    const int out = out_, agents = std::max(1, view_.num_ids), columns = agents * out;
    const Activation activation = activation_;
    float* bias = c.gradients + bias_;
    float* ids = view_.num_ids > 0 ? c.gradients + kernel_ + int64_t(view_.features()) * out : bias;
    const int64_t apart = c.groups.apart, d_apart = Matmul::padded(rows) * out;
    sum_columns(c.device, c.reducer, c.groups, rows / agents, columns, ids, [=] THRONG_BODY(int g, int64_t r, int k) {
      const int64_t i = g * d_apart + r * columns + k;
      return d_out[i] *= slope(activation, y[i]);
    });
    if (view_.num_ids == 0) return;
    each_element(c.device, c.groups.count, 1, out, [=] THRONG_BODY(int g, int64_t, int k) {
      float sum = 0;
      for (int agent = 0; agent < agents; ++agent) sum += ids[g * apart + agent * out + k];
      bias[g * apart + k] = sum;
    });
  }

  // Of number j of the goals, from the gradient before the activation.
  void goal_backward(const Compute& c, int64_t rows, int j, const float* goals, const float* d_out) const {
    const int out = out_, dim = view_.goal_dim;
    const int64_t d_apart = Matmul::padded(rows);
    float* to = c.gradients + goal_kernel_ + int64_t(j) * out;
    sum_columns(c.device, c.reducer, c.groups, rows, out, to, [=] THRONG_BODY(int g, int64_t r, int k) {
      return goals[(g * rows + r) * dim + j] * d_out[(g * d_apart + r) * out + k];
    });
  }

  // of_view_[view] = the sum over the agents that share it.
  void gather_view(const Compute& c, int64_t views, const float* d_out) const {
    const int out = out_, sharing = view_.sharing;
    float* to = of_view_;
    const int64_t apart = Matmul::padded(views * sharing), to_apart = Matmul::padded(views);
    each_element(c.device, c.groups.count, views, out, [=] THRONG_BODY(int g, int64_t r, int k) {
      float sum = 0;
      for (int agent = 0; agent < sharing; ++agent) sum += d_out[(g * apart + r * sharing + agent) * out + k];
      to[(g * to_apart + r) * out + k] = sum;
    });
  }

  // Row `cell * num_codes + code` of the kernel's gradient is the sum of the rows of `d` where that cell has that code. The
  // rows are cut into parts; one worker owns a part, a cell and a column, so nothing is added by two at once.
  void codes_backward(const Compute& c, int64_t views, const uint8_t* x, const float* d) const {
    const View view = view_;
    const int out = out_;
    const int64_t size = int64_t(view.features()) * out;
    const int64_t parts = views < 64 * kCodeParts ? (views + 63) / 64 : kCodeParts;
    const int64_t d_apart = Matmul::padded(views);
    float* partial = partial_;
    each_element(c.device, c.groups.count, parts * view.dim, SumsByCode::count_blocks(out),
                 [=] THRONG_BODY(int g, int64_t i, int block) {
                   const int64_t part = i / view.dim, first = views * part / parts, end = views * (part + 1) / parts;
                   const int cell = static_cast<int>(i % view.dim);
                   float* of_cell = partial + (g * parts + part) * size + int64_t(cell) * view.num_codes * out;
                   const uint8_t* codes = x + (g * views + first) * view.dim + cell;
                   const float* rows = d + (g * d_apart + first) * out + block * SumsByCode::kWidth;
                   SumsByCode::of(of_cell, view.num_codes, out, block)
                       .add(
                           static_cast<int>(end - first), [&](int r) { return int(codes[int64_t(r) * view.dim]); },
                           [&](int r) { return rows + int64_t(r) * out; });
                 });
    add_parts(c.device, c.groups, parts, size, partial, c.gradients + kernel_);
  }

 private:
  static constexpr float kGoalGain = 4;  // weights are small numbers, and have to count beside many features

  // Where products lie that something is added to.
  float* product() const { return view_.sharing > 1 ? of_view_ : output_; }
  Rows numbers(const void* x, int64_t views) const {
    return {static_cast<const float*>(x), view_.dim, views * view_.dim};
  }

  static constexpr int64_t kCodeParts = Backend::kCuda ? 32 : 16;
  static constexpr int kWidth = Backend::kCuda ? 1 : 16;  // columns that one worker sums up side by side

  View view_;
  int out_;
  Activation activation_;
  int64_t kernel_, bias_, goal_kernel_ = 0;  // offsets
  float* output_ = nullptr;                  // [group, rows, out], after the activation
  float* of_view_ = nullptr;  // [group, rows / sharing, out]: products of shared rows, then their gradients
  float* partial_ = nullptr;  // [group, part, kernel]
};

}  // namespace throng
