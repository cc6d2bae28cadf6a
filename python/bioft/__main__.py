"""The command `bioft` of the wheel: the program that is packed beside this file."""
import os
import pathlib
import sys


def main():
    program = pathlib.Path(__file__).resolve().parent / "tree/bin/bioft"
    os.execv(program, ["bioft", *sys.argv[1:]])


if __name__ == "__main__":
    main()
