"""Models that are built when something is first read into them: one that can't be is found here, not then."""

from __future__ import annotations

import importlib
import pkgutil

from pydantic import BaseModel

import cloud_agent


def _models(base: type[BaseModel]) -> set[type[BaseModel]]:
    models = {model for model in base.__subclasses__() if model.__module__.startswith("cloud_agent.")}
    return models.union(*(_models(model) for model in base.__subclasses__()))


def test_each_model_that_is_built_later_can_be_built() -> None:
    for found in pkgutil.walk_packages(cloud_agent.__path__, "cloud_agent."):
        importlib.import_module(found.name)
    deferred = {model for model in _models(BaseModel) if model.model_config.get("defer_build")}
    assert deferred
    for model in deferred:
        model.model_rebuild(raise_errors=True)
    assert set() == {model for model in deferred if not model.__pydantic_complete__}
