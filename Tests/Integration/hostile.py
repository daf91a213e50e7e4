"""HTTP/1.1 messages that somebody might misread, from a seed: parts that mean something to some parser, put together in
ways that may be valid, and then often damaged."""

import random

PLAIN = [
    b"X-Color: blue", b"x-color:red", b"Accept: */*", b"X-Empty:", b"X-Spaces:  \t a b \t", b"X-Latin: \xe9\xff",
    b"Cookie: a=b; c=d", b"X-Comment: (nested (comment))", b"X-Quote: \"a\\\"b\"", b"TE: trailers", b"Trailer: X-Sum",
]  # fmt: skip
CONNECTION = [
    b"Connection: keep-alive", b"Connection: close", b"Connection: X-Color", b"Connection: te, x-color,,", b"Connection:",
    b"Connection: content-length", b"Connection: transfer-encoding", b"Keep-Alive: timeout=5", b"Connection: a b",
    b"Connection: upgrade\r\nUpgrade: websocket", b"Connection: upgrade\r\nUpgrade: h2c", b"Proxy-Connection: close",
]  # fmt: skip
FRAMING = [
    b"Content-Length: 5", b"Content-Length: 0", b"content-length:5", b"Content-Length: 05", b"Content-Length: +5",
    b"Content-Length: 5,5", b"Content-Length: 5 ", b"Content-Length : 5", b"Content_Length: 5", b"Content-Length: 0x5",
    b"Content-Length: 18446744073709551621", b"Content-Length: -1", b"Content-Length:", b"Content-Length: 5\r\n ",
    b"Transfer-Encoding: chunked", b"transfer-encoding:CHUNKED", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding : chunked", b"Transfer_Encoding: chunked",
    b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding:\r\n chunked", b"X: y\rTransfer-Encoding: chunked", b"X: y\nTransfer-Encoding: chunked",
]  # fmt: skip
CHUNKS = [
    b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"2;a=b\r\nhe\r\n003\r\nllo\r\n0;c\r\n\r\n", b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nX-Sum: 1\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n",
    b"0x5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloo\r\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"FFFFFFFFFFFFFFFF\r\nhello",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", b"5;\nx\r\nhello\r\n0\r\n\r\n",
    b"1\r\na\r\n0\r\n x: y\r\n\r\n", b"1\r\na\r\n0\r\nx : y\r\n\r\n", b"1\r\na\r\n0\r\n\n",
]  # fmt: skip
NOISE = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\t", b" ", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xff", b":", b",",
    b";", b"0", b"5", b"a", b"/", b"\"", b"HTTP/1.1", b"chunked", b"GET /any/noise HTTP/1.1\r\n", b"_", b"-", b"+",
]  # fmt: skip
STATUS_LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.0 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 299 \xe9",
    b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 600 No",
    b"HTTP/2.0 200 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 100 Continue", b"http/1.1 200 OK",
]  # fmt: skip


class Hostile:
    """The same seed gives the same messages."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def requests(self, authority: str, token: str, case: int) -> bytes:
        """What a client sends on one connection: a request that may hold another one, and perhaps a plain one behind."""
        credentials = f"Host: {authority}\r\nX-Case: {case}\r\nAuthorization: Bearer {token}".encode()
        inner = b"GET /any/inner HTTP/1.1\r\n" + credentials + b"\r\n\r\n"
        sent = self._damaged(self._request(credentials, inner), self.random.choice([0, 0, 1, 2]))
        if self.random.random() < 0.5:
            sent += b"GET /any/behind HTTP/1.1\r\n" + credentials + b"\r\n\r\n"
        return sent

    def answer(self) -> bytes:
        """What an upstream sends before it closes: an answer, perhaps with others around it."""
        before = self.random.choice([b"", b"", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100\r\n\r\n"])
        line = self.random.choice(STATUS_LINES if self.random.random() < 0.5 else STATUS_LINES[:3])
        behind = self.random.choice([b"", b"", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"])
        answer = line + b"\r\n" + self._rest([], b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside") + behind
        return before + self._damaged(answer, self.random.choice([0, 0, 1, 2]))

    def _request(self, credentials: bytes, inner: bytes) -> bytes:
        method = self.random.choice([b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH"])
        target = self.random.choice([b"/any/a", b"/any/a?b=c%2F&d", b"/any/%61/b", b"/any/~a;b=c/*"])
        version = self.random.choice([b"1.1"] * 12 + [b"1.0", b"0.9", b"2.0", b"1.2"])
        return method + b" " + target + b" HTTP/" + version + b"\r\n" + self._rest([credentials], inner)

    def _rest(self, lines: list[bytes], inner: bytes) -> bytes:
        """Everything behind the first line; two in three are framed as they should be."""
        lines += self.random.choices(PLAIN, k=self.random.randrange(4))
        lines += self.random.choices(CONNECTION, k=self.random.choice([0, 0, 0, 1]))
        match self.random.randrange(6):
            case 0 | 1:
                body = self.random.choice([b"hello", inner, b"", b"\r\n", b"0\r\n\r\n" + inner])
                lines.append(b"Content-Length: %d" % len(body))
            case 2 | 3:
                body = self.random.choice(CHUNKS[:5] + [b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner)])
                lines.append(b"Transfer-Encoding: chunked")
            case _:
                lines += self.random.choices(FRAMING, k=self.random.randrange(3))
                body = self.random.choice([b"", b"hello", inner, *CHUNKS, self.random.choice(CHUNKS) + inner])
        self.random.shuffle(lines)
        return b"\r\n".join([*lines, b"", b""]) + body

    def _damaged(self, message: bytes, times: int) -> bytes:
        damaged = bytearray(message)
        for _ in range(times):
            place = self.random.randrange(len(damaged))
            match self.random.randrange(5):
                case 0:
                    del damaged[place]
                case 1:
                    damaged[place:place] = self.random.choice(NOISE)
                case 2:
                    damaged[place] = self.random.randrange(256)
                case 3:
                    damaged[place:place] = damaged[place : place + self.random.randrange(40)]
                case _:
                    ends = [index for index, byte in enumerate(damaged) if byte in b"\r\n:"]
                    at = self.random.choice(ends)
                    damaged[at : at + 1] = self.random.choice(NOISE)
        return bytes(damaged)
