// Compiled once at configure time: does nvcc accept this host compiler and this standard library?
#include <source_location>
#include <string>
#include <vector>

__global__ void probe(int* p) { *p = 1; }

int main() {
  std::string s = std::source_location::current().file_name();
  std::vector<int> v(3);
  probe<<<1, 1>>>(nullptr);
  return static_cast<int>(s.size() + v.size());
}
