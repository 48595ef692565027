"""The board as its visitors see it."""

import http.client
import json
import socket
import tempfile
import threading
import unittest
from http.server import ThreadingHTTPServer
from pathlib import Path

from ..pages import menu, page_names, render
from ..votes import UnknownDishError, Votes
from ..web import Handler


class PagesTest(unittest.TestCase):
    def test_every_page_has_one_heading_and_the_frame(self) -> None:
        for name in page_names():
            with self.subTest(page=name):
                page = render(name, {}) or ""
                self.assertEqual(1, page.count("<h1"))
                self.assertIn("</html>", page)

    def test_the_front_page_shows_every_dish(self) -> None:
        page = render("home", {}) or ""
        for dish in menu():
            self.assertIn(f'data-dish="{dish["id"]}"', page)

    def test_a_name_that_is_no_page_gives_none(self) -> None:
        for name in ("nowhere", "frame", "../README", "", "Home"):
            self.assertIsNone(render(name, {}))


class VotesTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.votes = Votes(Path(folder.name) / "votes.json", {"ramen", "pizza"})

    def test_votes_add_up_and_are_kept(self) -> None:
        self.votes.add("ramen")
        self.assertEqual({"pizza": 0, "ramen": 2}, self.votes.add("ramen"))
        self.assertEqual({"pizza": 0, "ramen": 2}, self.votes.counts())

    def test_a_dish_that_is_not_on_the_menu_is_refused(self) -> None:
        with self.assertRaises(UnknownDishError):
            self.votes.add("gravel")


class QuietHandler(Handler):
    def log_message(self, *_: object) -> None:
        pass


class WebTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        QuietHandler.votes = Votes(
            Path(folder.name) / "votes.json", {dish["id"] for dish in menu()}
        )
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler)
        self.port = self.server.server_port
        self.addCleanup(self.server.server_close)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.server.shutdown)

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_a_vote_is_counted(self) -> None:
        status, body = self.request("POST", "/api/votes", '{"dish": "ramen"}')
        self.assertEqual((200, 1), (status, json.loads(body)["ramen"]))

    def test_a_wrong_vote_is_refused(self) -> None:
        for body in ("", "[]", "no json", '{"dish": "gravel"}'):
            self.assertEqual(400, self.request("POST", "/api/votes", body)[0])

    def test_files_outside_static_are_not_served(self) -> None:
        self.assertEqual(404, self.request("GET", "/static/../dev.py")[0])
        self.assertEqual(200, self.request("GET", "/static/style.css")[0])

    def test_the_reload_stream_names_the_running_copy(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(b"GET /reload HTTP/1.1\r\nHost: board\r\n\r\n")
            received = b""
            while b"data: " not in received:
                received += line.recv(1000)
        self.assertIn(b"text/event-stream", received)


if __name__ == "__main__":
    unittest.main()
