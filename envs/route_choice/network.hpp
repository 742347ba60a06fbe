// The routes through a road network: the fastest ones from one node to another when nobody else is on the road.
#pragma once

#include <cstddef>
#include <limits>
#include <queue>
#include <vector>

namespace throng::route_choice {

// Links as three lists: where each begins, where it ends, and how long it takes without traffic.
template <class Nodes, class Times>
class Network {
 public:
  Network(const Nodes& from, const Nodes& to, const Times& time) : from_(from), to_(to), time_(time) {
    for (int link = 0; link < from.size; ++link) {
      const int last = from[link] > to[link] ? from[link] : to[link];
      num_nodes_ = last >= num_nodes_ ? last + 1 : num_nodes_;
    }
  }

  int num_nodes() const { return num_nodes_; }

  // At most `most` routes that pass no node twice, as lists of links, fastest first; of equally fast ones the shorter, then the one
  // whose links have lower numbers, comes first. Best-first search: what is left takes at least `left`, so routes arrive in order.
  std::vector<std::vector<int>> fastest(int origin, int destination, int most) const {
    const std::vector<double> left = times_to(destination);
    std::priority_queue<Part> open;
    open.push({left[origin], {}, origin});
    std::vector<std::vector<int>> routes;
    while (!open.empty() && static_cast<int>(routes.size()) < most) {
      const Part part = open.top();
      open.pop();
      if (part.end == destination) {
        routes.push_back(part.links);
        continue;
      }
      for (int link = 0; link < from_.size; ++link) {
        if (from_[link] != part.end || left[to_[link]] == kNever || passes(part, origin, to_[link])) continue;
        Part longer{part.at_least - left[part.end] + time_[link] + left[to_[link]], part.links, to_[link]};
        longer.links.push_back(link);
        open.push(longer);
      }
    }
    return routes;
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  // The beginning of a route.
  struct Part {
    double at_least;  // that the whole takes
    std::vector<int> links;
    int end;
    friend bool operator<(const Part& a, const Part& b) {  // the queue's top is the largest
      if (a.at_least != b.at_least) return a.at_least > b.at_least;
      return a.links.size() != b.links.size() ? a.links.size() > b.links.size() : a.links > b.links;
    }
  };

  bool passes(const Part& part, int origin, int node) const {
    if (node == origin) return true;
    for (int link : part.links) {
      if (to_[link] == node) return true;
    }
    return false;
  }

  // From every node, after Bellman and Ford.
  std::vector<double> times_to(int destination) const {
    std::vector<double> left(static_cast<size_t>(num_nodes_), kNever);
    left[destination] = 0;
    for (bool better = true; better;) {
      better = false;
      for (int link = 0; link < from_.size; ++link) {
        const double by_link = time_[link] + left[to_[link]];
        if (by_link < left[from_[link]]) left[from_[link]] = by_link, better = true;
      }
    }
    return left;
  }

  const Nodes& from_;
  const Nodes& to_;
  const Times& time_;
  int num_nodes_ = 0;
};

}  // namespace throng::route_choice
