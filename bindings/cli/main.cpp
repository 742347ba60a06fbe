// The program: nothing but the command line.
#include "bindings/cli/cli.hpp"

int main(int argc, char** argv) { return throng::cli_main(argc, argv); }
