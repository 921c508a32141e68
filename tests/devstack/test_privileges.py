import os
import pwd

import pytest

from devstack import privileges
from devstack.privileges import UNSHARE, Privileges
from devstack.refusals import Refusal


def chosen(monkeypatch, *, uid: int, namespaces: bool) -> Privileges:
    monkeypatch.setattr(privileges.os, "geteuid", lambda: uid)
    monkeypatch.setattr(privileges, "_namespaces_are_allowed", lambda: namespaces)
    return privileges.database_privileges.__wrapped__()


def test_a_normal_user_runs_postgres_plainly(monkeypatch):
    assert chosen(monkeypatch, uid=1000, namespaces=True) == Privileges()


def test_root_runs_it_in_a_user_namespace(monkeypatch):
    assert chosen(monkeypatch, uid=0, namespaces=True) == Privileges(prefix=UNSHARE)


def test_root_without_namespaces_runs_it_as_nobody(monkeypatch):
    nobody = pwd.getpwnam("nobody")

    assert chosen(monkeypatch, uid=0, namespaces=False) == Privileges(
        uid=nobody.pw_uid, gid=nobody.pw_gid
    )


def test_a_folder_that_nobody_may_not_enter_is_named_in_one_sentence(tmp_path):
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    (closed / "data").chmod(0o755)  # whatever the umask
    closed.chmod(0o700)
    tmp_path.chmod(0o700)

    with pytest.raises(Refusal, match=f"nobody may not enter {closed}: run as a normal user"):
        Privileges(uid=65534, gid=65534).require_access(closed / "data")


def test_a_normal_user_need_not_open_their_folders(tmp_path):
    tmp_path.chmod(0o700)

    Privileges().require_access(tmp_path / "data")
    Privileges().own(tmp_path)
    assert tmp_path.stat().st_uid == os.geteuid()
