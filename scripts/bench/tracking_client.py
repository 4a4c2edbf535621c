"""The least of an HTTP client: one keep-alive connection, requests made beforehand, answers read and not
parsed. What a richer client costs would be the same on both sides and hide what the servers do."""
import json
import socket
import time


class Connection:
    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, method, path, body=None, answer_bytes=0):
        """The bytes of a request. answer_bytes tells the floor how much to answer."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        if answer_bytes:
            head += f"X-Answer-Bytes: {answer_bytes}\r\n"
        return head.encode() + b"\r\n" + payload

    def exchange(self, request):
        """Sends a request and returns the answer's body, whole. Any status but 200 is the end."""
        try:
            self.socket.sendall(request)
            got = self.socket.recv(1 << 18)
        except ConnectionError:
            got = b""
        if not got:  # the server closed the idle connection
            self.__init__(self.port)
            self.socket.sendall(request)
            got = self.socket.recv(1 << 18)
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.more()
        head, parts = got[:end].lower(), [got[end + 4:]]
        have = len(parts[0])
        if b"transfer-encoding: chunked" in head:
            while not parts[-1].endswith(b"0\r\n\r\n"):
                parts.append(self.more())
        else:
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            while have < length:
                parts.append(self.more())
                have += len(parts[-1])
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"{request[:200]}: {head} {parts[0][:300]}")
        return b"".join(parts)

    def more(self):
        got = self.socket.recv(1 << 20)
        if not got:
            raise SystemExit("the server closed the connection in the middle of an answer")
        return got

    def call(self, method, path, body=None):
        """A call outside of what is timed, its answer parsed."""
        return json.loads(self.exchange(self.request(method, path, body)) or b"{}")

    def timed(self, requests):
        """Seconds a request takes, for each."""
        took = []
        for r in requests:
            began = time.perf_counter()
            self.exchange(r)
            took.append(time.perf_counter() - began)
        return took
