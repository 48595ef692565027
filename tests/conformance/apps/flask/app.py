from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, redirect, render_template, request, session, url_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

app = Flask(__name__)
app.secret_key = "of a test"


@app.route("/", methods=["GET", "POST"])
def index() -> str:
    return render_template("index.html", greeting="before", received=request.form.get("message"))


@app.post("/login")
def login() -> Response:
    session["user"] = request.form["user"]
    return redirect(url_for("index"))


@app.get("/old")
def old() -> Response:
    return redirect(url_for("new", _external=True))


@app.get("/new")
def new() -> str:
    return '<link rel="icon" href="data:,"><p id="new">new</p>'
