"""The one exception for what a caller can get wrong."""


class Error(ValueError):
    """Something that cannot be read, computed or judged; its text is the line that the command prints after its
    name: where, what was expected and what was found.

    >>> import gdstar
    >>> gdstar.check("no-such.safetensors")
    Traceback (most recent call last):
        ...
    gdstar.Error: no-such.safetensors: cannot read: No such file or directory (os error 2)
    """


Error.__module__ = "gdstar"
