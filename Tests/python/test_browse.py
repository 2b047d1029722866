"""The server of relabel browse: whom it answers, what it writes, and what strangers get."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.parse

import numpy as np
import pytest
from conftest import BIN, SAMPLES
from running import packed

from relabel_hdf5 import Writer

HEADER = "X-Relabel-Token"


class Server:
    """A running relabel browse."""

    def __init__(self, *arguments):
        command = [BIN / "relabel", "browse", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        self.address = self.process.stdout.readline().strip() if ready else ""
        if not self.address:
            self.process.kill()
            raise AssertionError(self.process.communicate()[1])
        parts = urllib.parse.urlsplit(self.address)
        self.port, self.token = parts.port, urllib.parse.parse_qs(parts.query)["token"][0]

    def ask(self, path, method="GET", body=None, **headers):
        """Status, headers and body of an answer; a header that is None is not sent."""
        given = {"Host": f"127.0.0.1:{self.port}", HEADER: self.token}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def json(self, path, **fields):
        status, _, body = self.ask(f"{path}?{urllib.parse.urlencode(fields)}")
        assert status == 200, body
        return json.loads(body)

    def mark(self, at, mark=None, note="", **headers):
        body = json.dumps({"at": at, "mark": mark, "note": note}).encode()
        status, _, answer = self.ask("/mark", "POST", body, Content_Type="application/json", **headers)
        return status, answer.decode()

    def images(self, **fields):
        """A page of images, once they are listed."""
        while True:
            answer = self.json("/images", **fields)
            if "is_waiting" not in answer:
                return answer
            time.sleep(0.02)

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition(state := self.json("/state")):
            assert time.monotonic() < end, state
            time.sleep(0.05)
        return state

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        _, words = self.process.communicate(timeout=20)
        return self.process.returncode, words


@contextlib.contextmanager
def serving(*arguments):
    server = Server(*arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browse") / "dataset"
    packed(
        SAMPLES / "maps", "-o", folder, "--orientation", "yx", "--classes", SAMPLES / "classes.tsv",
        "--labels", "from-folders", "--images", SAMPLES / "images.txt",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def server(dataset, tmp_path_factory):
    marks = tmp_path_factory.mktemp("marks") / "marks.tsv"
    with serving(dataset, "--pictures", SAMPLES / "images", "--marks", marks) as server:
        server.marks = marks
        server.wait(lambda state: state["measured"] == state["images"] and state["pictures"] == "ready")
        yield server


# ------------------------------------------------------------------------------------------- whom


def test_only_this_machine_is_listened_on(server):
    listening = [line.split() for line in open("/proc/net/tcp") if f":{server.port:04X} " in line]
    assert [line[1] for line in listening if line[3] == "0A"] == [f"0100007F:{server.port:04X}"]
    with open(f"/proc/{server.process.pid}/net/tcp6") as six:
        assert f":{server.port:04X} 00000000" not in six.read()
    assert len(server.token) == 32 and int(server.token, 16)


PATHS = ["/state", "/images", "/image?at=0", "/picture?at=0", "/classes?find=a", "/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"X_Relabel_Token": None},
        {"X_Relabel_Token": "0" * 32},
        {"X_Relabel_Token": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": None},
    ],
)
def test_strangers_get_nothing(server, path, headers):
    token = headers.pop("X_Relabel_Token", server.token)
    if path == "/" and token:
        path += f"?token={token}"
    status, _, body = server.ask(path, **{HEADER: token}, **headers)
    headers["X_Relabel_Token"] = token
    assert status in (400, 403)
    assert b"n0" not in body and len(body) < 200


def test_strangers_mark_nothing(server):
    before = server.marks.read_bytes() if server.marks.exists() else None
    for headers in ({"Origin": "http://evil.example"}, {HEADER: None}, {"Host": "evil.example:80"}, {"Sec_Fetch_Site": "cross-site"}):
        assert server.mark(0, "exclude", **headers)[0] in (400, 403)
    body = b'{"at": 0, "mark": "exclude"}'
    for type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        assert server.ask("/mark", "POST", body, Content_Type=type)[0] == 415
    assert server.ask("/mark")[0] == 405 and server.ask("/state", "POST", body, Content_Type="application/json")[0] == 405
    assert (server.marks.read_bytes() if server.marks.exists() else None) == before


def test_every_answer_is_for_this_page_alone(server):
    for path in [*PATHS[:-1], f"/?token={server.token}", "/nothing"]:
        _, headers, _ = server.ask(path)
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert headers["cross-origin-resource-policy"] == "same-origin" and headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"] and headers["x-frame-options"] == "DENY"
        assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path",
    [
        "/picture/../../etc/passwd", "/picture/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "//etc/passwd", "/etc/passwd",
        "/picture?at=../../etc/passwd", "/picture?at=-1", "/picture?at=999999", "/picture?key=../../etc/passwd", "/picture?at=0/../1",
        "/picture?at=1&at=%2e%2e%2fetc", "/index.json", "/picture", "/state/", "http://127.0.0.1/etc/passwd", "/%00", "/picture?at=%00",
    ],
)  # fmt: skip
def test_no_path_of_a_request_reaches_a_file(server, path):
    status, _, body = server.ask(path)
    assert status in (400, 404), (status, body)
    assert b"root:" not in body


# ---------------------------------------------------------------------------------- how much, how slow


def raw(server, data, wait=5):
    """What comes back of bytes that are sent as they are, and how long it took until the end."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return answer, time.monotonic() - start


def head(server, line, *headers):
    lines = [line, f"Host: 127.0.0.1:{server.port}", f"{HEADER}: {server.token}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_large_requests_are_refused(server):
    assert b" 414 " in raw(server, head(server, f"GET /images?key={'a' * 5000} HTTP/1.1"))[0][:40]
    kind = "Content-Type: application/json"
    assert b" 413 " in raw(server, head(server, "POST /mark HTTP/1.1", kind, "Content-Length: 100000") + b"x" * 100_000)[0][:40]
    chunk = f"{40000:x}\r\n".encode() + b"x" * 40_000 + b"\r\n"
    assert b" 413 " in raw(server, head(server, "POST /mark HTTP/1.1", kind, "Transfer-Encoding: chunked") + chunk)[0][:40]
    many = [f"X-{number}: {'y' * 1000}" for number in range(400)]
    answer, _ = raw(server, head(server, "GET /state HTTP/1.1", *many))
    assert b" 200 " not in answer[:40]
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300), b"GET\r\n\r\n", b"\r\n" * 100 + b"hello\r\n\r\n"):
        assert b" 200 " not in raw(server, nonsense)[0][:40]
    assert server.ask("/state")[0] == 200


def test_what_is_no_mark_is_refused(server):
    for body in (b"", b"{", b"[]", b'{"at": -1}', b'{"at": 1e9}', b'{"at": 0, "mark": "delete"}', b"\xff", b'{"mark": "good"}'):
        status, _, _ = server.ask("/mark", "POST", body, Content_Type="application/json")
        assert status == 400, body
    assert server.mark(0, None, "x" * 5000)[0] == 400
    assert server.mark(0, None, "bell\u0007")[0] == 400


def test_slow_clients_are_cut_off_and_keep_nobody_waiting(server):
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
    for connection in connections:
        connection.sendall(b"GET /state HTTP/1.1\r\nHost: 127")
    start = time.monotonic()
    assert server.ask("/state")[0] == 200
    assert time.monotonic() - start < 2
    connections[0].settimeout(20)
    assert connections[0].recv(100) == b""
    assert 5 < time.monotonic() - start < 18
    for connection in connections:
        connection.close()


def test_too_many_connections_are_closed_at_once(server):
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(80)]
    time.sleep(0.5)
    connections[-1].settimeout(3)
    with contextlib.suppress(ConnectionResetError):
        assert connections[-1].recv(10) == b""
    for connection in connections:
        connection.close()
    time.sleep(0.3)
    assert server.ask("/state")[0] == 200


# ----------------------------------------------------------------------------------------- answers


def listing():
    return [line.rsplit(".", 1)[0] for line in (SAMPLES / "images.txt").read_text().split()]


def keys(answer):
    return [image["key"] for image in answer["images"]]


def test_images_in_the_order_of_the_source(server):
    all_keys = [key for key in listing()]
    first = server.images(count=5)
    assert first["total"] == len(all_keys) and keys(first) == all_keys[:5]
    assert keys(server.images(**{"from": 5, "count": 5})) == all_keys[5:10]
    assert server.images(**{"from": 10_000})["images"] == []


def test_search_by_key(server):
    text = listing()[4].split("/")[1][2:]
    assert keys(server.images(key=text.upper())) == [key for key in listing() if text.lower() in key.lower()]
    folder = listing()[0].split("/")[0]
    assert keys(server.images(key=f"^{folder}")) == [key for key in listing() if key.startswith(folder)]
    assert server.images(key="^" + text)["total"] == 0
    assert server.images(key="\t\0<script>")["total"] == 0


def test_search_by_class(server):
    table = [line.split("\t") for line in (SAMPLES / "classes.tsv").read_text().splitlines()]
    folder = listing()[0].split("/")[0]
    number = [entry[0] for entry in table].index(folder)
    assert keys(server.images(**{"class": number, "role": "label"})) == [key for key in listing() if key.startswith(folder)]
    best = server.images(count=200)["images"]
    wanted = best[0]["own"]["top"][0][0]
    assert keys(server.images(**{"class": wanted, "role": "best"})) == [i["key"] for i in best if i["own"]["top"][0][0] == wanted]
    for text in (folder, str(number), table[number][1].split(",")[0]):
        assert number in [found["class"] for found in server.json("/classes", find=text)["classes"]]


def test_sorted_by_measures(server):
    for order, measure in (("suspicion", "suspicion"), ("uncertainty", "entropy")):
        values = [image[measure] for image in server.images(order=order, count=200)["images"]]
        assert values == sorted(values, reverse=True) and len(values) == len(listing())
    assert server.ask("/images?order=size")[0] == 400


def test_pictures_are_those_of_their_keys(server):
    image = server.images(count=1)["images"][0]
    status, headers, body = server.ask(f"/picture?at={image['at']}")
    assert status == 200 and headers["content-type"] == "image/jpeg"
    (path,) = (SAMPLES / "images").glob(f"{image['key']}.*")
    assert body == path.read_bytes()


# -------------------------------------------------------------------------------------------- marks


def test_marks_are_on_disk_when_they_are_answered(server):
    images = server.images(count=3)["images"]
    note = 'tab\there\nand "a line" \\ <b>'
    status, answer = server.mark(images[0]["at"], "exclude", note)
    assert status == 200 and json.loads(answer)["marks"]["exclude"] == 1
    written = server.marks.read_text().splitlines()
    assert written[0] == "key\tmark\tnote" and written[1].startswith(f"{images[0]['key']}\texclude\ttab\\there\\nand ")
    assert server.images(count=1)["images"][0]["note"] == note
    server.mark(images[1]["at"], "good")
    assert keys(server.images(marked="any")) == [images[0]["key"], images[1]["key"]]
    assert keys(server.images(marked="exclude")) == [images[0]["key"]]
    assert server.images(marked="none")["total"] == len(listing()) - 2
    server.mark(images[0]["at"])
    server.mark(images[1]["at"])
    assert server.marks.read_text() == "key\tmark\tnote\n"
    assert os.listdir(server.marks.parent) == ["marks.tsv"]


def test_what_others_write_meanwhile_is_kept(server):
    images = server.images(count=2)["images"]
    server.mark(images[0]["at"], "good")
    with server.marks.open("a") as file:
        file.write("other/key\twrong-label\tby hand\n")
    server.mark(images[1]["at"], "exclude")
    text = server.marks.read_text()
    assert "other/key\twrong-label\tby hand\n" in text and images[1]["key"] in text
    # What is no table any more is neither read nor written over.
    server.marks.write_text("something else\n")
    status, words = server.mark(images[1]["at"], "good")
    assert status == 400 and "no table of marks" in words and server.marks.read_text() == "something else\n"
    server.marks.write_text("key\tmark\tnote\n")
    server.mark(images[0]["at"], "good")
    server.mark(images[0]["at"])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(dataset, tmp_path, how):
    with serving(dataset, "--marks", tmp_path / "m.tsv") as server:
        server.images(count=1)
        server.mark(0, "good")
        idle = socket.create_connection(("127.0.0.1", server.port))
        code, words = server.stop(how)
        idle.close()
    assert code == 0 and "1 marked image in" in words
    assert os.listdir(tmp_path) == ["m.tsv"]
    # The table is gone on with.
    with serving(dataset, "--marks", tmp_path / "m.tsv") as server:
        assert server.json("/state")["marks"]["good"] == 1


def test_without_a_table_nothing_is_written(dataset, tmp_path):
    with serving(dataset) as server:
        assert server.mark(0, "good")[0] == 400
        assert server.json("/state")["marks"] is None
    assert os.listdir(tmp_path) == []


def test_other_files_are_never_taken_for_marks(dataset, tmp_path):
    other = tmp_path / "precious.tsv"
    other.write_text("a\tb\n")
    for path in (other, dataset / "index.json", tmp_path / "none" / "marks.tsv"):
        with pytest.raises(AssertionError, match="marks|header|UTF-8|folder"):
            Server(dataset, "--marks", path)
    assert other.read_text() == "a\tb\n"


def test_a_taken_port_is_named(server, dataset):
    with pytest.raises(AssertionError, match=f"port {server.port}"):
        Server(dataset, "--port", server.port)


# ---------------------------------------------------------------------------------- hostile datasets


def test_links_and_what_is_no_picture(dataset, tmp_path):
    # A link is followed, as the verifier does, but what it leads to has to begin like a picture.
    names = listing()
    for name in names[:4]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / f"{names[0]}.jpg").symlink_to("/etc/passwd")
    (source,) = (SAMPLES / "images").glob(f"{names[1]}.*")
    (tmp_path / f"{names[1]}.jpg").symlink_to(source)
    (tmp_path / f"{names[2]}.png").write_bytes(b"<svg onload='alert(1)'>")
    os.mkfifo(tmp_path / f"{names[3]}.jpg")
    with serving(dataset, "--pictures", tmp_path) as server:
        server.wait(lambda state: state["pictures"] == "ready")
        at = [image["at"] for image in server.images(count=5)["images"]]
        found = [server.ask(f"/picture?at={place}") for place in at]
    assert [status for status, _, _ in found] == [415, 200, 415, 204, 204]
    assert found[1][2] == source.read_bytes() and b"root:" not in found[0][2]


HOSTILE = ["<script>alert(1)</script>", "a b", "%2e%2e", "'\"&", "\u202egnp", "é", "e\u0301", "x" * 1000, "…/..a"]


def test_hostile_keys_and_21k_classes(tmp_path):
    classes = 21_841
    table = [(f"c{number}", f"<b>class {number}</b>") for number in range(classes)]
    folder = tmp_path / "d"
    options = {"num_classes": classes, "score_kind": "logit", "classes": table, "top_k": 1, "key_bytes": 1024}
    with Writer(folder, **options) as writer:
        for place, key in enumerate(HOSTILE):
            writer.add(key, np.random.default_rng(place).normal(size=(classes, 2, 2)).astype(np.float32))
    with serving(folder, "--marks", tmp_path / "m.tsv") as server:
        images = server.images()["images"]
        assert len(images) == len(HOSTILE) and images[0]["key"] == HOSTILE[0]
        for image in images:
            assert server.mark(image["at"], "exclude", image["key"])[0] == 200
        assert len(server.json("/classes", find="class")["classes"]) == 50
        assert server.json("/classes", find="21840")["classes"][0]["name"] == "<b>class 21840</b>"
    # The table names the keys as they are, for the packer.
    written = [line.split("\t")[0] for line in (tmp_path / "m.tsv").read_text().splitlines()[1:]]
    assert sorted(written) == sorted(HOSTILE)


def test_two_datasets_side_by_side(dataset, tmp_path):
    packed(
        SAMPLES / "maps", "-o", tmp_path / "few", "--orientation", "yx", "--score-encoding", "float16", "--exclude",
        exclusion(tmp_path / "x.txt"),
    )  # fmt: skip
    with serving(dataset, "--compare", tmp_path / "few") as server:
        images = {image["key"]: image for image in server.images(count=200)["images"]}
        assert images[listing()[0]]["other"] is None
        other = images[listing()[1]]
        assert other["other"]["top"][0][0] == other["own"]["top"][0][0]
    packed(SAMPLES / "maps", "-o", tmp_path / "more", "--num-classes", 1001, "--orientation", "yx")
    with pytest.raises(AssertionError, match="1000 and 1001 classes"):
        Server(dataset, "--compare", tmp_path / "more")


def exclusion(path):
    path.write_text(listing()[0] + "\n")
    return path
