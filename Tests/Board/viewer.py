"""A viewer of the board's own HTTP-FLV."""

import threading
import urllib.request


class Viewer:
    """Reads a live stream, and throws it away, until the block it is used in ends."""

    def __init__(self, port: int, query: str):
        self._address = f"http://127.0.0.1:{port}/ipc.flv?{query}"

    def __enter__(self):
        self._response = urllib.request.urlopen(self._address, timeout=60)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def _read(self):
        try:
            while not self._ends.is_set() and self._response.read1(65536):
                pass
        except OSError:
            pass

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join(60)
        self._response.close()
