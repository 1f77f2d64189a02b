"""Unpacks parts of a wheel or zip for fetch_libtorch.sh: unpack_wheel.py STAGE ZIP ROOT GLOB...

The members that match a glob are written into STAGE, those under ROOT/ as libtorch/. Exit code 65 says that
the zip is not what it must be, 74 that writing failed.
"""
import fnmatch, os, shutil, sys, zipfile


def give_up(code, why):
    print("  " + why, file=sys.stderr)
    sys.exit(code)


stage, name, root, globs = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
try:
    with zipfile.ZipFile(name) as z:
        files = [m for m in z.infolist() if not m.is_dir()]
        for g in globs:
            if not any(fnmatch.fnmatchcase(m.filename, g) for m in files):
                give_up(65, f"nothing in {name} matches {g}")
        files = [m for m in files if any(fnmatch.fnmatchcase(m.filename, g) for g in globs)]
        need, free = sum(m.file_size for m in files), shutil.disk_usage(stage).free
        if need > free:
            give_up(74, f"no space: {need >> 20} MB needed, {free >> 20} MB free; make room, or use --prefix on another disk")
        for m in files:
            path = m.filename
            if path.startswith(root + "/"):
                path = "libtorch" + path[len(root):]
            if path.startswith("/") or ".." in path.split("/"):
                give_up(65, f"unsafe member {m.filename} in {name}")
            path = os.path.join(stage, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with z.open(m) as src, open(path, "wb") as dst:
                shutil.copyfileobj(src, dst, 1 << 20)
except zipfile.BadZipFile as e:
    give_up(65, f"{name}: {e}")
except OSError as e:
    give_up(74, str(e))
