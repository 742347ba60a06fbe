// FirstLayer: the dense layer that meets a game's own rows - numbers or cell codes, one row per agent or per environment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

namespace throng {

// What a network sees. A row of codes stands for the row of numbers in which every cell is a one-hot vector of `num_codes`;
// that row is never made: the rows of the kernel that the codes name are added up.
struct View {
  int dim = 0;        // numbers or cells of a row
  int num_codes = 0;  // 0: float32 numbers; otherwise uint8 codes below this
  int sharing = 1;    // neighbouring agents that see the same row
  int num_ids = 0;    // not 0: a one-hot agent number is appended, of so many agents in turn
  int goal_dim = 0;   // numbers that are appended for each agent, see Goal

  bool codes() const { return num_codes > 0; }
  int features() const { return codes() ? dim * num_codes : dim; }
  int inputs() const { return features() + num_ids; }  // rows of the kernel; goals have one of their own
  bool plain() const {
    return sharing == 1 && num_ids == 0 && goal_dim == 0;
  }  // a row of its own, and nothing appended
  // The row of the kernel that a cell's code names; a code that is too high counts as the highest.
  THRONG_HD int kernel_row(const uint8_t* codes, int cell) const {
    return cell * num_codes + (codes[cell] < num_codes ? codes[cell] : num_codes - 1);
  }
  size_t row_bytes() const { return codes() ? size_t(dim) : dim * sizeof(float); }
};

// The rows of a view, and the goals [rows, goal_dim] of the agents who see them.
struct Seen {
  const void* rows;
  const float* goals = nullptr;
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
      goal_kernel_ = parameters.add(path + "_goal,kernel", {view.goal_dim, out}, Init::orthogonal(gain));
  }

  const View& view() const { return view_; }
  int out() const { return out_; }
  int columns_summed() const { return out_ * std::max(1, view_.num_ids); }  // at once; what the Reducer needs room for

  void want(Arena& arena, int64_t rows, bool train) {
    arena.want(output_, Matmul::padded(rows) * out_);
    if (view_.sharing > 1) arena.want(of_view_, Matmul::padded(rows / view_.sharing) * out_);
    if (train && view_.codes()) arena.want(partial_, kCodeParts * int64_t(view_.features()) * out_);
  }

  // [rows, out] for rows [rows / sharing, dim]; numbers are padded to whole row blocks (see Matmul).
  const float* forward(const Compute& c, int64_t rows, const Seen& seen) {
    const void* x = seen.rows;
    const int64_t views = rows / view_.sharing;
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    if (view_.codes()) {
      add_codes(c, views, static_cast<const uint8_t*>(x));
    } else if (view_.plain()) {
      c.matmul.forward(rows, view_.dim, out_, {static_cast<const float*>(x), view_.dim}, kernel, bias, activation_,
                       {output_, out_});
    } else {
      c.matmul.forward(views, view_.dim, out_, {static_cast<const float*>(x), view_.dim}, kernel, nullptr, kIdentity,
                       {product(), out_});
    }
    if (!view_.plain()) complete(c, rows, seen.goals);
    return output_;
  }

  // Gradients of kernel and bias from `d_out` [rows, out], which becomes the gradient before the activation.
  void backward(const Compute& c, int64_t rows, const Seen& seen, float* d_out) {
    const void* x = seen.rows;
    const int64_t views = rows / view_.sharing;
    float* d_view = d_out;
    before_activation(c, rows, d_out);
    for (int j = 0; j < view_.goal_dim; ++j) goal_backward(c, rows, j, seen.goals, d_out);
    if (view_.sharing > 1) {
      gather_view(c, views, d_out);
      d_view = of_view_;
    }
    if (view_.codes()) {
      codes_backward(c, views, static_cast<const uint8_t*>(x), d_view);
    } else {
      c.matmul.backward_weight(views, view_.dim, out_, {static_cast<const float*>(x), view_.dim}, {d_view, out_},
                               c.gradients + kernel_);
    }
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  void add_codes(const Compute& c, int64_t views, const uint8_t* x) const {
    const View view = view_;
    const int out = out_;
    const bool whole = view.plain();
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    float* y = whole ? output_ : product();
    const Activation activation = activation_;
    each_element(c.device, views, (out + kWidth - 1) / kWidth, [=] THRONG_BODY(int64_t r, int block) {
      const int first = block * kWidth, count = out - first < kWidth ? out - first : kWidth;
      float sum[kWidth];
      for (int k = 0; k < count; ++k) sum[k] = whole ? bias[first + k] : 0.0f;
      for (int cell = 0; cell < view.dim; ++cell) {
        const float* row = kernel + int64_t(view.kernel_row(x + r * view.dim, cell)) * out + first;
        for (int k = 0; k < count; ++k) sum[k] += row[k];
      }
      for (int k = 0; k < count; ++k) y[r * out + first + k] = whole ? activate(activation, sum[k]) : sum[k];
    });
  }

  // From the rows of views to those of agents: their numbers, their goals, the bias, the activation.
  void complete(const Compute& c, int64_t rows, const float* goals) const {
    const View view = view_;
    const int out = out_;
    const float *from = product(), *bias = c.parameters + bias_;
    const float* ids = c.parameters + kernel_ + int64_t(view.features()) * out;
    const float* of_goals = c.parameters + goal_kernel_;
    float* y = output_;
    const Activation activation = activation_;
    each_element(c.device, rows, (out + kWidth - 1) / kWidth, [=] THRONG_BODY(int64_t r, int block) {
      const int first = block * kWidth, count = out - first < kWidth ? out - first : kWidth;
      const float* product = from + r / view.sharing * out + first;
      float sum[kWidth];
      for (int k = 0; k < count; ++k) sum[k] = product[k];
      if (view.num_ids > 0) {
        const float* row = ids + r % view.num_ids * out + first;
        for (int k = 0; k < count; ++k) sum[k] += row[k];
      }
      for (int j = 0; j < view.goal_dim; ++j) {
        const float number = goals[r * view.goal_dim + j];
        for (int k = 0; k < count; ++k) sum[k] += number * of_goals[j * out + first + k];
      }
      for (int k = 0; k < count; ++k) y[r * out + first + k] = activate(activation, sum[k] + bias[first + k]);
    });
  }

  // Through the activation; and the sums over rows: of the agents' numbers, and of all, which is the bias's.
  void before_activation(const Compute& c, int64_t rows, float* d_out) const {
    const float* y = output_;
    const int out = out_, agents = std::max(1, view_.num_ids), columns = agents * out;
    const Activation activation = activation_;
    float* bias = c.gradients + bias_;
    float* ids = view_.num_ids > 0 ? c.gradients + kernel_ + int64_t(view_.features()) * out : bias;
    sum_columns(c.device, c.reducer, rows / agents, columns, ids, [=] THRONG_BODY(int64_t r, int k) {
      const float d = d_out[r * columns + k] * slope(activation, y[r * columns + k]);
      d_out[r * columns + k] = d;
      return d;
    });
    if (view_.num_ids == 0) return;
    Backend::each(c.device, out, [=] THRONG_BODY(int64_t k) {
      float sum = 0;
      for (int agent = 0; agent < agents; ++agent) sum += ids[agent * out + k];
      bias[k] = sum;
    });
  }

  // Of number j of the goals, from the gradient before the activation.
  void goal_backward(const Compute& c, int64_t rows, int j, const float* goals, const float* d_out) const {
    const int out = out_, dim = view_.goal_dim;
    float* to = c.gradients + goal_kernel_ + int64_t(j) * out;
    sum_columns(c.device, c.reducer, rows, out, to,
                [=] THRONG_BODY(int64_t r, int k) { return goals[r * dim + j] * d_out[r * out + k]; });
  }

  // of_view_[view] = the sum over the agents that share it.
  void gather_view(const Compute& c, int64_t views, const float* d_out) const {
    const int out = out_, sharing = view_.sharing;
    float* to = of_view_;
    each_element(c.device, views, out, [=] THRONG_BODY(int64_t r, int k) {
      float sum = 0;
      for (int agent = 0; agent < sharing; ++agent) sum += d_out[(r * sharing + agent) * out + k];
      to[r * out + k] = sum;
    });
  }

  // Row `cell * num_codes + code` of the kernel's gradient is the sum of the rows of `d` where that cell has that code. The
  // rows are cut into parts; one worker owns a part, a cell and a column, so nothing is added by two at once.
  void codes_backward(const Compute& c, int64_t views, const uint8_t* x, const float* d) const {
    const View view = view_;
    const int out = out_;
    const int64_t size = int64_t(view.features()) * out;
    const int64_t parts = views < 64 * kCodeParts ? (views + 63) / 64 : kCodeParts;
    float *partial = partial_, *to = c.gradients + kernel_;
    each_element(c.device, parts * view.dim, (out + kWidth - 1) / kWidth, [=] THRONG_BODY(int64_t i, int block) {
      const int64_t part = i / view.dim;
      const int cell = static_cast<int>(i % view.dim), first = block * kWidth;
      const int count = out - first < kWidth ? out - first : kWidth;
      float* sums = partial + part * size + first;
      for (int code = 0; code < view.num_codes; ++code) {
        for (int k = 0; k < count; ++k) sums[(int64_t(cell) * view.num_codes + code) * out + k] = 0;
      }
      for (int64_t r = views * part / parts; r < views * (part + 1) / parts; ++r) {
        float* sum = sums + int64_t(view.kernel_row(x + r * view.dim, cell)) * out;
        for (int k = 0; k < count; ++k) sum[k] += d[r * out + first + k];
      }
    });
    Backend::each(c.device, size, [=] THRONG_BODY(int64_t i) {
      float sum = 0;
      for (int64_t part = 0; part < parts; ++part) sum += partial[part * size + i];
      to[i] = sum;
    });
  }

 private:
  // Where products lie that something is added to.
  float* product() const { return view_.sharing > 1 ? of_view_ : output_; }

  static constexpr int64_t kCodeParts = 16;
  static constexpr int kWidth = Backend::kCuda ? 1 : 16;  // columns that one worker sums up side by side

  View view_;
  int out_;
  Activation activation_;
  int64_t kernel_, bias_, goal_kernel_ = 0;  // offsets
  float* output_ = nullptr;                  // [rows, out], after the activation
  float* of_view_ = nullptr;                 // [rows / sharing, out]: products of shared rows, then their gradients
  float* partial_ = nullptr;                 // [part, kernel]
};

}  // namespace throng
