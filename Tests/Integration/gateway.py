"""The gateway under test: the built binary with a configuration, in a folder of its own."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from ports import free_port
from wire import PATIENCE

CHECKOUT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SALLYPORT_BINARY", CHECKOUT / ".build/release/sallyport")).resolve()
# Becomes the gateway with the descriptors that it is given at 3 and on, as systemd hands sockets over (sd_listen_fds(3)).
HAND_OVER = """
import fcntl, os, sys
given = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[1].split(",")]
for number, descriptor in enumerate(given, 3):
    os.dup2(descriptor, number)
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.environ["LISTEN_FDS"] = str(len(given))
os.execv(sys.argv[2], sys.argv[2:])
"""
FAULTS = re.compile(r"AddressSanitizer|LeakSanitizer|Fatal error|Precondition failed")


def is_sanitized() -> bool:
    return b"__asan_init" in BINARY.read_bytes()


def sallyport(*arguments, **options) -> subprocess.CompletedProcess:
    """Runs a command of the binary to its end."""
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE, **options)


class Gateway:
    def __init__(self, directory: Path, configuration: dict):
        """`configuration` is written as it is given: as JSON, which is YAML too."""
        self.directory = directory
        self.file = directory / "sallyport.yaml"
        self.audit_directory = directory / "audit"
        self.configuration = configuration
        self.write(configuration)
        self.log = directory / "log"
        self.process: subprocess.Popen | None = None

    @property
    def port(self) -> int:
        return int(self.configuration["listeners"][0]["address"].rpartition(":")[2])

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def said(self) -> str:
        """All that it wrote to stderr."""
        return self.log.read_text(errors="replace")

    def write(self, configuration: dict) -> None:
        self.configuration = configuration
        self.file.write_text(json.dumps(configuration, indent=1))

    def start(self, environment=None, until="/readyz", sockets=()) -> "Gateway":
        """Starts it and returns once it says that it is ready, or whatever else is waited for; with `sockets` to take."""
        given = [socket.fileno() for socket in sockets]
        hand_over = [sys.executable, "-c", HAND_OVER, ",".join(map(str, given))] if given else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*hand_over, BINARY, "run", "--config", self.file],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                pass_fds=given,
            )
        self.wait(lambda: self.observe(until) == 200, until)
        return self

    def observe(self, path: str) -> int | None:
        """The status of a path of the observability address; `None` where nobody listens."""
        connection = http.client.HTTPConnection(self.configuration["observability"]["address"], timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def wait(self, condition, what: str):
        """Returns what `condition` gives once that is true; fails if the gateway ends before, or takes for ever."""
        for _ in range(PATIENCE * 100):
            if value := condition():
                return value
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.01)
                raise AssertionError(f"waited for {what}, but the gateway ended with {code}:\n{self.said}")
        raise AssertionError(f"waited in vain for {what}:\n{self.said}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def reload(self, configuration: dict | None = None) -> None:
        """Sends HUP and returns once the file has been taken over."""
        if configuration is not None:
            self.write(configuration)
        before = self.loads()
        self.signal(signal.SIGHUP)
        self.wait(lambda: len(self.events("config.loaded")) > before, "the reload")

    def loads(self) -> int:
        """How many configurations are on record; the first may be written a moment after the gateway is ready."""
        return len(self.wait(lambda: self.events("config.loaded"), "the first configuration on record"))

    def stop(self) -> int:
        """Ends it as an operator would and gives its exit code, after a look for traces of a fault."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not end:\n{self.said}") from None
        assert not FAULTS.search(self.said), self.said
        return code

    def memory(self) -> int:
        """Resident bytes; the highest value since then is counted anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """The most resident bytes since `memory` was called."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # The audit log

    def lines(self) -> list[bytes]:
        """Every complete line of the log, oldest first, without its newline."""
        text = b"".join(file.read_bytes() for file in sorted(self.audit_directory.glob("audit-*.jsonl")))
        return text.split(b"\n")[:-1]

    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.lines()]

    def events(self, event: str) -> list[dict]:
        return [record for record in self.records() if record["event"] == event]

    def record(self, request_id: str, event: str) -> dict:
        """The record of one request, once it is written."""
        found = self.wait(lambda: self.records_of(request_id, event), f"{event} of {request_id}")
        assert len(found) == 1
        return found[0]

    def records_of(self, request_id: str, event: str) -> list[dict]:
        """What of one request is written by now."""
        return [record for record in self.events(event) if record.get("request_id") == request_id]

    def reason(self, response) -> str:
        """Why a request was denied, from the log."""
        return self.record(response.request_id, "request.denied")["reason"]


def listener(port: int, server, trust: list[dict], **changes) -> dict:
    listener = {
        "name": "agents",
        "address": f"127.0.0.1:{port}",
        "origins": [f"https://localhost:{port}", f"https://127.0.0.1:{port}"],
        "protocols": ["h2", "http/1.1"],
        "tls": {
            "certificates": [{"certificate_file": str(server.chain_file), "private_key_file": str(server.key_file)}]
        },
        "clients": {"certificate": "required", "identity": "spiffe", "trust_domains": trust},
    }
    return {**listener, **changes}


def observability() -> dict:
    return {"address": f"127.0.0.1:{free_port()}"}
