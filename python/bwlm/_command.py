"""The console command bwlm: executes the program of this package with the libtorch of the installed PyTorch."""

import importlib.util
import os
import sys

UNAVAILABLE = 69  # the exit code of the program for a missing library


def torch_folder():
    """Returns the folder of the installed PyTorch, which is not imported, or None."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        if os.path.isfile(os.path.join(folder, "lib", "libtorch_cpu.so")):
            return folder
    return None


def main():
    """Replaces this process by the program; LIBTORCH, if it is set, is left as it is."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "bwlm")
    if not os.environ.get("LIBTORCH"):
        folder = torch_folder()
        # What needs no libtorch, such as --help, works without PyTorch; the program refuses the rest, with the places it tried.
        if folder is not None:
            os.environ["LIBTORCH"] = folder
    try:
        os.execv(program, ["bwlm"] + sys.argv[1:])
    except OSError as err:
        print("bwlm: error: start program: %s: %s" % (program, err.strerror), file=sys.stderr)
        return UNAVAILABLE
