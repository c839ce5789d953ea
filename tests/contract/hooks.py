"""How requests are changed before they are sent; schemathesis.toml says why."""

import os
import unicodedata

import schemathesis


def changed(value, change):
    if isinstance(value, list):
        return [changed(item, change) for item in value]
    if isinstance(value, dict):
        return change({name: changed(item, change) for name, item in value.items()})
    return change(value)


def whole(value):
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fitting(value):
    if isinstance(value, str):
        return "".join("x" if unicodedata.category(letter) == "Cc" else letter for letter in value)
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return {**value, "currency": "USD"}
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (float, list, dict)):
        case.body = changed(case.body, whole)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query and "cursor" in case.query:
        del case.query["cursor"]
    if isinstance(case.body, dict):
        case.body = changed(case.body, fitting)
        if isinstance(case.body.get("address_id"), str):
            case.body["address_id"] = os.environ["TRESTLE_CONTRACT_ADDRESS"]
