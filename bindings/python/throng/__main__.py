"""The command line: `throng train smax/3m`, or `python -m throng train smax/3m`."""
import sys

from throng import cli_main


def main() -> None:
    sys.exit(cli_main(["throng", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
