"""PostgreSQL refuses to run as root. This lets it run when root types `make run`."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from devstack.refusals import Refusal

# Inside a user namespace, root's files stay root's, and the process sees itself as nobody.
UNSHARE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")


@dataclass(frozen=True)
class Privileges:
    """What to put before a command, and which user runs it; empty for a normal user."""

    prefix: Sequence[str] = ()
    uid: int | None = None
    gid: int | None = None

    def require_access(self, *paths: Path) -> None:
        """Refuses early, with the folder's name, if the account cannot reach its files."""
        for path in paths if self.uid is not None else ():
            for folder in (path, *path.parents):
                if not folder.stat().st_mode & 0o001:
                    raise Refusal(
                        "PostgreSQL must not run as root, user namespaces are off here, and the "
                        f"user nobody may not enter {folder}: run as a normal user, or clone into "
                        "a folder that everybody may enter, such as one under /srv."
                    )

    def own(self, folder: Path) -> None:
        """Hands the folder to PostgreSQL's account; an earlier run may have used another."""
        if os.geteuid() != 0:
            return
        uid, gid = self.uid or 0, self.gid or 0
        if folder.stat().st_uid != uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, uid, gid, follow_symlinks=False)


@cache
def database_privileges() -> Privileges:
    """Plain for a user. For root, a user namespace if allowed, otherwise the user nobody."""
    if os.geteuid() != 0:
        return Privileges()
    if _namespaces_are_allowed():
        return Privileges(prefix=UNSHARE)
    nobody = pwd.getpwnam("nobody")
    return Privileges(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _namespaces_are_allowed() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
