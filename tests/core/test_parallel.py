"""Parts of a work in processes of their own: what they give back, what becomes of errors, and that none is left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from tunesmith.core import parallel
from tunesmith.core.errors import DataError
from tunesmith.core.meter import Cancelled, Meter, silent
from tunesmith.core.parallel import at_once, stretches

HERE = os.getpid()


def counted(number: int, meter: Meter) -> tuple[int, int]:
    """Counts to 10, and tells in which process."""
    for done in range(11):
        meter("counting", done, 10)
    return number, os.getpid()


def children() -> list[psutil.Process]:
    """Processes of this one that are alive."""
    return [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends within some seconds."""
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("rows", [0, 1, 39_999, 40_000, 1_000_001])
@pytest.mark.parametrize("cores", [1, 2, 64])
def test_stretches_hold_every_row_once_and_each_is_worth_a_process(
    rows: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: cores)
    made = stretches(rows)
    assert [place for one in made for place in one] == list(range(rows))
    assert 1 <= len(made) <= min(cores, parallel.MOST)
    assert len(made) == 1 or min(map(len, made)) >= parallel.FEWEST


def test_parts_give_back_in_order_what_they_found_each_in_a_process_of_its_own() -> None:
    found = at_once([partial(counted, number) for number in range(3)])
    assert [number for number, _ in found] == [0, 1, 2]
    assert found[0][1] == HERE and len({pid for _, pid in found}) == 3
    assert not children()


def test_the_meter_is_told_the_sum_and_at_the_end_all_of_it() -> None:
    told: list[tuple[str, int, int]] = []
    at_once([partial(counted, number) for number in range(3)], lambda *said: told.append(said))
    assert told[-1] == ("counting", 30, 30)
    done = [done for _, done, _ in told]
    assert done == sorted(done)


def test_parts_that_go_through_the_same_are_as_far_as_the_slowest() -> None:
    told: list[tuple[str, int, int]] = []
    at_once([partial(counted, number) for number in range(3)], lambda *said: told.append(said), min)
    assert told[-1] == ("counting", 10, 10)


def test_while_only_others_are_at_work_it_is_told_what_they_do() -> None:
    def short(meter: Meter) -> None:
        meter("looking", 5, 5)

    def long(meter: Meter) -> None:
        meter("looking", 5, 5)
        for done in range(4):
            meter("comparing", done, 4)
            time.sleep(0.4)

    told: list[tuple[str, int, int]] = []
    at_once([short, long], lambda *said: told.append(said), min)
    assert told[0][0] == "looking" and ("comparing", 2, 4) in told


def test_large_finds_come_whole() -> None:
    def many(meter: Meter) -> bytes:
        return b"x" * 30_000_000

    assert [len(one) for one in at_once([many, many])] == [30_000_000] * 2


def test_an_error_of_another_process_is_raised_here_as_it_is() -> None:
    def refuses(meter: Meter) -> int:
        raise DataError("This can't be used.", next_step="Use another.")

    with pytest.raises(DataError, match="This can't be used") as raised:
        at_once([lambda meter: 1, refuses])
    assert raised.value.next_step == "Use another."
    assert not children()


def test_the_part_of_a_process_that_is_killed_is_done_here() -> None:
    def killed(meter: Meter) -> int:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert at_once([lambda meter: 1, killed, lambda meter: 3]) == [1, HERE, 3]


def test_the_part_of_a_process_that_hangs_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "HANGS_SECONDS", 0.5)
    lock = threading.Lock()
    lock.acquire()  # as by a thread that is not forked with the process

    def waits(meter: Meter) -> int:
        if os.getpid() != HERE:
            lock.acquire()
        return os.getpid()

    assert at_once([lambda meter: 1, waits]) == [1, HERE]
    assert not children()


def test_a_process_that_computes_for_long_without_a_word_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "HANGS_SECONDS", 0.5)

    def computes(meter: Meter) -> int:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            pass
        return os.getpid()

    assert at_once([lambda meter: 1, computes])[1] != HERE


def test_a_thread_that_reads_the_standard_input_keeps_no_process_waiting(tmp_path: Path) -> None:
    """As the helper's does, all the time."""
    code = """
import os, sys, threading, time
from tunesmith.core.parallel import at_once

threading.Thread(target=sys.stdin.buffer.readline, daemon=True).start()
time.sleep(0.2)
here, other = at_once([lambda meter: os.getpid()] * 2)
print(here != other)
"""
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        assert asker.stdout.read() == b"True\n"
        assert asker.stdin is not None
        asker.stdin.close()
    assert time.monotonic() - began < parallel.HANGS_SECONDS


@pytest.mark.parametrize("had", [0, 1])
def test_parts_for_which_no_process_can_be_had_are_done_here(had: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, asked = os.fork, 0

    def refused() -> int:
        nonlocal asked
        asked += 1
        if asked > had:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", refused)
    told: list[tuple[str, int, int]] = []
    found = at_once([partial(counted, number) for number in range(3)], lambda *said: told.append(said))
    assert [number for number, _ in found] == [0, 1, 2]
    assert [pid == HERE for _, pid in found] == [True, had == 0, True]
    assert {of for _, _, of in told} == {30} and told[-1] == ("counting", 30, 30)
    assert not children()


def test_a_part_that_is_done_again_here_counts_together_with_those_that_are_done() -> None:
    def killed(meter: Meter) -> None:
        meter("counting", 5, 10)
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        meter("counting", 10, 10)

    told: list[tuple[str, int, int]] = []
    at_once([partial(counted, 1), killed], lambda *said: told.append(said))
    assert {of for _, _, of in told} == {20} and told[-1] == ("counting", 20, 20)


def test_what_can_not_be_sent_is_found_here() -> None:
    def unsendable(meter: Meter) -> Callable[[], int]:
        return lambda: 7

    assert at_once([unsendable, unsendable])[1]() == 7


def test_whoever_cancels_leaves_no_process_behind() -> None:
    def endless(meter: Meter) -> None:
        while True:
            meter("waiting", 0, 0)
            time.sleep(0.01)

    def stop(doing: str, done: int, of: int) -> None:
        if children():
            raise Cancelled

    with pytest.raises(Cancelled):
        at_once([endless, endless, endless], stop)
    assert not children()


def test_cancelling_works_while_only_the_others_are_at_work() -> None:
    def short(meter: Meter) -> None:
        meter("waiting", 1, 1)

    def endless(meter: Meter) -> None:
        meter("waiting", 0, 1)
        time.sleep(600)

    asked = 0

    def stop(doing: str, done: int, of: int) -> None:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        at_once([short, endless], stop)
    assert not children()


@pytest.mark.parametrize("doing", ["meter('waiting', 0, 0)", "pass"])
def test_a_process_whose_asker_is_killed_ends_by_itself(tmp_path: Path, doing: str) -> None:
    """Also one that says nothing; and who reads what the asker writes hears that it has ended."""
    code = f"""
import os, pathlib, time
from tunesmith.core.parallel import at_once

def endless(meter):
    pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()
    while True:
        {doing}
        time.sleep(0.05)

at_once([endless, endless])
"""
    asker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    asker.kill()
    asker.communicate(timeout=10)
    others = [int(path.name) for path in tmp_path.iterdir() if int(path.name) != asker.pid]
    assert len(others) == 1
    assert gone(others[0])


def test_one_part_is_done_here() -> None:
    assert at_once([partial(counted, 5)], silent) == [(5, HERE)]
