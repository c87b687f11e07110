from __future__ import annotations

import os
import signal

import pytest

from demo.signals import Stopped, stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_unwinds_the_program(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with pytest.raises(Stopped, match=number.name), stoppable():
        os.kill(os.getpid(), number)

    assert signal.getsignal(number) is before


def test_a_second_request_does_not_interrupt_the_clearing_up() -> None:
    with stoppable():
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
