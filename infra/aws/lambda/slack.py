"""Posts what CloudWatch alarms say to SNS into a Slack channel. The channel's webhook is a secret: whoever knows its address
can write there. It is read from Secrets Manager and never logged."""

import functools
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3  # part of the runtime

SIGNS = {"ALARM": ("#c0392b", ":red_circle:"), "OK": ("#27874f", ":large_green_circle:")}
TRIES = 3
# Seconds. Three tries and the pauses between them end before the function's own 30 s.
TIMEOUT, LONGEST_PAUSE = 5, 5


def handler(event, _context):
    for record in event["Records"]:
        post(render(record["Sns"]))


def render(notice):
    """The message for a notification: an alarm's changed state, or else the text as it came."""
    try:
        alarm = json.loads(notice["Message"])
        name, new, old = alarm["AlarmName"], alarm["NewStateValue"], alarm["OldStateValue"]
        region = alarm["AlarmArn"].split(":")[3]
    except (ValueError, KeyError, TypeError, IndexError):
        return {"text": text(f"{notice.get('Subject') or 'Notice'}: {notice['Message']}", 3000)}
    colour, sign = SIGNS.get(new, ("#8a8f98", ":white_circle:"))
    link = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/"
    link += urllib.parse.quote(name, safe="")
    # Descriptions in our templates are "What it means. First: what to do."
    meaning, _, first = (alarm.get("AlarmDescription") or "").partition("First: ")
    lines = [f"{sign} *<{link}|{text(name, 255)}>*: {old} → *{new}*", text(meaning.strip(), 900)]
    if first and new != "OK":
        lines.append(f"*First:* {text(first, 900)}")
    lines.append(f"> {text(' '.join((alarm.get('NewStateReason') or '').split()), 600)}")
    children = [child["Arn"].rpartition(":")[2] for child in alarm.get("TriggeringChildren") or []]
    if children:
        lines.append(text(f"Because of: {', '.join(children)}", 600))
    lines.append(f"{alarm.get('Region') or region} · {alarm.get('StateChangeTime') or ''}")
    body = {"type": "mrkdwn", "text": "\n".join(line for line in lines if line)}
    attachment = {"color": colour, "blocks": [{"type": "section", "text": body}]}
    return {"text": f"{text(name, 255)}: {old} → {new}", "attachments": [attachment]}


def text(raw, limit):
    """Text that Slack shows as it is, and that is not too long for it."""
    raw = raw if len(raw) <= limit else raw[: limit - 1] + "…"
    return raw.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def post(message):
    body = json.dumps(message).encode()
    for left in reversed(range(TRIES)):
        pause = TRIES - left
        try:
            request = urllib.request.Request(webhook(), body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            problem = f"Slack answered {error.code}"
            after = error.headers.get("Retry-After", "")
            pause = min(int(after), LONGEST_PAUSE) if after.isdigit() else pause
            if error.code < 500 and error.code != 429:
                webhook.cache_clear()  # It may have been replaced.
                left = 0
        except (OSError, ValueError, http.client.HTTPException) as error:
            problem = f"Slack was not reached: {type(error).__name__}"  # Their texts may hold the address.
        print(f"{problem}; {left} tries left")
        if not left:
            break
        time.sleep(pause)
    raise RuntimeError(problem)


@functools.cache
def webhook():
    secrets = boto3.client("secretsmanager")
    return secrets.get_secret_value(SecretId=os.environ["WEBHOOK_SECRET"])["SecretString"].strip()
