"""Where the files of a data set come from, first match wins:

    the `--data` option, or the environment variable MINITORCH_DATA; "synthetic" there means generated data
    the user's cache folder
    the official download, checked against its checksum and kept in the cache folder
"""

from __future__ import annotations

import os
from pathlib import Path

from samples.kit.errors import SampleError

SYNTHETIC = "synthetic"


def generated(given: str | Path | None) -> bool:
    """Whether generated data is asked for, by `--data synthetic` or MINITORCH_DATA=synthetic."""
    return (given if given is not None else os.environ.get("MINITORCH_DATA")) == SYNTHETIC


class Downloads:
    """A data set whose files lie at an address of their own; a subclass says which.

    Attributes:
        title: its name, for messages.
        folder: its folder in the cache, and where it is looked for below the folder that the user names.
        others: further places below that folder.
        address: what goes before a file's name to fetch it.
        files: names, and checksums as pooch writes them ("md5:..." or "sha256:...").
        packed: the ending of the files that are fetched, "" or ".gz"; unpacked files are found as well.
    """

    title = ""
    folder = ""
    others: tuple[str, ...] = ()
    address = ""
    files: dict[str, str] = {}
    packed = ""
    synthetic = "generated data"

    @classmethod
    def locate(cls, names: list[str], root: str | Path | None, download: bool) -> list[Path]:
        """Find or fetch the named files.

        Args:
            root: the folder the user names; None to look in MINITORCH_DATA and the cache folder.
            download: fetch the files when they are nowhere else.

        Raises:
            SampleError: the files are missing or cannot be fetched.
        """
        given = root if root is not None else os.environ.get("MINITORCH_DATA")
        if given:
            option = "--data" if root is not None else "MINITORCH_DATA"
            found = cls.search(names, [Path(given) / part for part in ("", cls.folder, *cls.others)])
            if found is None:
                missing = "is not a folder" if not Path(given).is_dir() else f"has no {cls.folder}/{names[0]}{cls.packed}"
                raise SampleError(f"{option} {given} {missing}; {cls.ways_out()}")
            return found
        cache = cache_folder() / cls.folder
        found = cls.search(names, [cache])
        if found is not None:
            return found
        if not download:
            raise SampleError(f"{cls.title} is not in {cache}; {cls.ways_out()}")
        return [cls.fetch(name, cache) for name in names]

    @classmethod
    def search(cls, names: list[str], folders: list[Path]) -> list[Path] | None:
        """The named files, packed or not, from the first folder that has them all."""
        for folder in folders:
            found = [next((p for p in (folder / name, folder / f"{name}{cls.packed}") if p.is_file()), None) for name in names]
            if all(found):
                return [path for path in found if path is not None]
        return None

    @classmethod
    def fetch(cls, name: str, cache: Path) -> Path:
        """Download one official file into the cache folder, where a later run finds it."""
        import pooch

        print(f"fetching {cls.address}{name}{cls.packed} into {cache}", flush=True)
        # pooch writes aside and compares checksums; a file that does not match never reaches the cache.
        pooch.get_logger().setLevel("ERROR")
        try:
            return Path(pooch.retrieve(
                cls.address + name + cls.packed, cls.files[name], fname=name + cls.packed, path=cache,
                downloader=pooch.HTTPDownloader(timeout=10),
            ))
        except (OSError, ValueError) as error:  # no network, no permission; wrong checksum
            reason = str(error).splitlines()[0] if isinstance(error, ValueError) else type(error).__name__
            raise SampleError(f"{cls.title} could not be fetched from {cls.address} ({reason}); "
                              f"{cls.ways_out()}") from None

    @classmethod
    def ways_out(cls) -> str:
        return (f"give a folder that holds the official {cls.title} files with --data DIR or MINITORCH_DATA=DIR, "
                f"or use {cls.synthetic}: --data {SYNTHETIC}")


def cache_folder() -> Path:
    """Where fetched data is kept: ~/.cache/minitorch on Linux, $XDG_CACHE_HOME/minitorch where that is set."""
    import pooch

    return Path(pooch.os_cache("minitorch"))
