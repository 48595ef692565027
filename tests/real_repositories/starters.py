"""Applications as their frameworks' own generators make them, from npm and PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_GENERATION_SECONDS = 600


@dataclass(frozen=True)
class Subject:
    """A repository to be tried: a folder that is copied, or what makes one.

    `make` is a shell command that makes the folder `app`; `files` are written into it, or are all of it.
    """

    name: str
    folder: Path | None = None
    make: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def lay_out(self, app: Path) -> None:
        """Put the repository into `app`, which isn't there yet."""
        app.parent.mkdir(parents=True, exist_ok=True)
        if self.folder is not None:
            shutil.copytree(self.folder, app, symlinks=True, ignore=shutil.ignore_patterns(".git", "node_modules"))
        elif self.make:
            environment = {**os.environ, "CI": "1", "npm_config_yes": "true", "NG_CLI_ANALYTICS": "false"}
            subprocess.run(
                ["/bin/sh", "-c", self.make], cwd=app.parent, env=environment, check=True, timeout=_GENERATION_SECONDS,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        else:
            app.mkdir()
        for name, text in self.files.items():
            file = app / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def _vite(template: str) -> Subject:
    make = f"npx create-vite@latest app --template {template} --no-interactive"
    return Subject(f"create-vite {template}", make=make)


# The page of a new project is Django's own.
_DJANGO = """\
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("<h1>A page by Django</h1>"))]
"""
_FLASK = """\
from flask import Flask

app = Flask(__name__)


@app.get("/")
def greeting():
    return "<h1>A page by Flask</h1>"
"""
_FASTAPI = """\
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

app = FastAPI()


@app.get("/", response_class=HTMLResponse)
def greeting() -> str:
    return "<h1>A page by FastAPI</h1>"
"""
_STREAMLIT = 'import streamlit as st\n\nst.title("A page by Streamlit")\n'
_GRADIO = """\
import gradio as gr

with gr.Blocks() as demo:
    gr.Markdown("# A page by Gradio")

if __name__ == "__main__":
    demo.launch()
"""
_DASH = """\
from dash import Dash, html

app = Dash(__name__)
app.layout = html.H1("A page by Dash")

if __name__ == "__main__":
    app.run(debug=True)
"""
_NICEGUI = 'from nicegui import ui\n\nui.label("A page by NiceGUI")\nui.run(show=False)\n'
_NOTEBOOK = """\
{"cells": [{"cell_type": "markdown", "id": "greeting", "metadata": {}, "source": ["# A page by Jupyter"]}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
_EXPRESS = """\
const express = require("express");
const app = express();
app.get("/", (request, response) => response.send("<h1>A page by Express</h1>"));
app.listen(process.env.PORT || 3000);
"""
_ELEVENTY = {
    "package.json": '{"scripts": {"start": "eleventy --serve"}, "devDependencies": {"@11ty/eleventy": "^3"}}',
    "index.html": "<!doctype html><title>Eleventy</title><h1>A page by Eleventy</h1>",
}
_VITEPRESS = {
    "package.json": '{"scripts": {"docs:dev": "vitepress dev"}, "devDependencies": {"vitepress": "^1"}}',
    "index.md": "# A page by VitePress\n",
}
# What Vite builds for the pages of another server has all that they show.
_VITE_BESIDE = {
    "package.json": '{"type": "module", "scripts": {"dev": "vite"}, "devDependencies": {"vite": "^7"}}',
    "vite.config.js": """\
export default {
  base: "/static/",
  build: { outDir: "static", manifest: "manifest.json", rollupOptions: { input: "src/main.js" } },
};
""",
    "src/main.js": 'document.querySelector("h1").textContent = "A page that Vite has built for";\n',
    ".gitignore": "node_modules\nstatic\n",
}
_FLASK_WITH_VITE = """\
import json
from pathlib import Path

from flask import Flask

app = Flask(__name__)


@app.get("/")
def greeting():
    built = json.loads(Path("static/manifest.json").read_text())["src/main.js"]["file"]
    return f'<!doctype html><title>Flask</title><h1></h1><script type="module" src="/static/{built}"></script>'
"""
_DJANGO_WITH_VITE = """\
from django.http import HttpResponse
from django.template import Context, Template
from django.urls import path

PAGE = '''{% load django_vite %}<!doctype html><title>Django</title>{% vite_hmr_client %}<h1></h1>
{% vite_asset "src/main.js" %}'''
urlpatterns = [path("", lambda request: HttpResponse(Template(PAGE).render(Context())))]
"""
_DJANGO_VITE_SETTINGS = """\
from .settings_of_django import *
import os

INSTALLED_APPS += ["django_vite"]
STATICFILES_DIRS = [BASE_DIR / "static"]
DJANGO_VITE = {"default": {
    "dev_mode": os.environ.get("DJANGO_VITE_DEV_MODE", "True") == "True",
    "manifest_path": BASE_DIR / "static/manifest.json",
}}
"""
_RAILS = {
    "config/routes.rb": 'Rails.application.routes.draw { root "lunches#index" }\n',
    "app/controllers/lunches_controller.rb": """\
class LunchesController < ApplicationController
  def index
    @lunches = Lunch.order(:id)
  end
end
""",
    "app/models/lunch.rb": "class Lunch < ApplicationRecord\nend\n",
    "app/views/lunches/index.html.erb": "<h1>A page by Rails</h1><%= @lunches.map(&:name).to_sentence %>\n",
    "db/migrate/20260101000000_create_lunches.rb": """\
class CreateLunches < ActiveRecord::Migration[6.1]
  def change
    create_table(:lunches) { |table| table.string :name }
  end
end
""",
    "db/seeds.rb": 'Lunch.create!(name: "Soup of the day")\n',
}
_STATIC = {"index.html": "<!doctype html><title>Static</title><h1>A page of a static site</h1>"}
_EXPRESS_FILES = {
    "package.json": '{"scripts": {"start": "node server.js"}, "dependencies": {"express": "^5"}}',
    "server.js": _EXPRESS,
}


def _python(name: str, files: Mapping[str, str], *packages: str) -> Subject:
    return Subject(name, files={**files, "requirements.txt": "".join(f"{package}\n" for package in packages)})


STARTERS = (
    *map(
        _vite,
        ("vanilla", "vanilla-ts", "vue", "vue-ts", "react", "react-ts", "preact", "preact-ts", "lit", "lit-ts",
         "svelte", "svelte-ts", "solid", "solid-ts", "qwik", "qwik-ts"),
    ),
    Subject("create-next-app", make="npx create-next-app@latest app --ts --app --no-tailwind --no-eslint --no-src-dir "
            "--use-npm --import-alias '@/*' --skip-install --disable-git --yes"),
    # These three download their templates from github.com.
    Subject("create-nuxt", make="npx create-nuxt@latest app --template minimal --packageManager npm --no-install "
            "--gitInit=false"),
    Subject("create-astro", make="npx create-astro@latest app --template basics --no-install --no-git --yes"),
    Subject("create-react-router", make="npx create-react-router@latest app --no-install --no-git-init --yes"),
    Subject("create-vue", make="npx create-vue@latest app --default"),
    Subject("sv create", make="npx sv@latest create app --template minimal --types ts --no-add-ons --no-install"),
    Subject("@angular/cli new", make="npx @angular/cli@latest new app --defaults --skip-git --skip-install"),
    Subject("@nestjs/cli new", make="npx @nestjs/cli@latest new app --skip-git --skip-install --package-manager npm"),
    Subject("create-docusaurus", make="npx create-docusaurus@latest app classic --javascript --skip-install"),
    Subject("create-t3-app", make="npx create-t3-app@latest app --CI --appRouter --noGit --noInstall"),
    Subject("express-generator", make="npx express-generator@latest --no-view app"),
    Subject("Express, no watcher", files=_EXPRESS_FILES),
    Subject("Eleventy", files=_ELEVENTY),
    Subject("VitePress", files=_VITEPRESS),
    Subject("static page", files=_STATIC),
    Subject("django-admin startproject", make="mkdir app && uvx --from django django-admin startproject lunch app",
            files={"requirements.txt": "django\n", "lunch/urls.py": _DJANGO}),
    Subject("Django, django-vite", make="mkdir app && uvx --from django django-admin startproject lunch app "
            "&& mv app/lunch/settings.py app/lunch/settings_of_django.py", files={**_VITE_BESIDE, "requirements.txt":
            "django\ndjango-vite\n", "lunch/settings.py": _DJANGO_VITE_SETTINGS, "lunch/urls.py": _DJANGO_WITH_VITE}),
    _python("Flask, Vite", {**_VITE_BESIDE, "app.py": _FLASK_WITH_VITE}, "flask"),
    _python("Flask", {"app.py": _FLASK}, "flask"),
    _python("FastAPI", {"main.py": _FASTAPI}, "fastapi[standard]"),
    _python("Streamlit", {"streamlit_app.py": _STREAMLIT}, "streamlit"),
    _python("Gradio", {"app.py": _GRADIO}, "gradio"),
    _python("Dash", {"app.py": _DASH}, "dash"),
    _python("NiceGUI", {"main.py": _NICEGUI}, "nicegui"),
    _python("Jupyter", {"lunch.ipynb": _NOTEBOOK}, "jupyterlab"),  # which is not started by itself
    # With the gems that are installed, such as Debian's `rails`.
    Subject("rails new", make="rails new app --skip-javascript --skip-spring --skip-bootsnap --skip-listen "
            "--skip-system-test --skip-git --skip-bundle && cd app && bundle install --local", files=_RAILS),
    Subject("mkdocs new", make="uvx mkdocs new app", files={"requirements.txt": "mkdocs<2\n"}),
)  # fmt: skip

_SETTINGS = ".github/claude-cloud-agent.yml"
# What never shows a page: there is nothing to be seen in a browser, and Claude works in it all the same.
WITHOUT_PAGE = (
    Subject("empty repository"),
    Subject("README alone", files={"README.md": "# Lunch\n"}),
    Subject("Terraform module", files={"main.tf": 'output "greeting" {\n  value = "Hello"\n}\n'}),
    Subject("library", files={"pyproject.toml": '[project]\nname = "lunch"\nversion = "1"\n', "lunch/__init__.py": ""}),
    Subject("install command fails", files={"package.json":
            '{"scripts": {"dev": "vite"}, "dependencies": {"lunch": "file:missing"}, "overrides": "none"}'}),
    Subject("install command doesn't end", files={_SETTINGS: "install: sleep 3600\ndev: sleep 3600\n"}),
    Subject("dev server ends", files={"package.json": '{"scripts": {"dev": "node server.js"}}'}),
    Subject("dev server doesn't respond", files={_SETTINGS: "dev: sleep 3600\n"}),
)  # fmt: skip
