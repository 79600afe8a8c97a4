"""What this room needs beside the library: the packages of the extra `book`, looked for before anything is imported."""

from importlib.util import find_spec

from ptlib.errors import PromptError

PACKAGES = ("matplotlib", "IPython")

if missing := [name for name in PACKAGES if find_spec(name) is None]:
    raise PromptError(
        f"ptlib.book draws and displays with {' and '.join(PACKAGES)}; {' and '.join(missing)} missing here: "
        f"pip install {' '.join(missing).lower()}, or install ptlib with its extra [book]"
    )
