"""Drives `metrex mcp` with the official Python SDK: client.py BINARY PROJECT

PROJECT is a project folder with the metrics of tests/support/project.rs. Ends with 0 when everything was as expected.
"""

import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import xml.dom.minidom

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

BINARY, PROJECT = sys.argv[1:3]
TOKEN = "a-token-for-the-python-client"
ENVIRONMENT = {
    "METREX_STATE_DIR": os.path.join(PROJECT, ".state"),
    "METREX_TODAY": "2025-11-20",
    "METREX_MCP_TOKEN": TOKEN,
    "PATH": os.environ.get("PATH", ""),
}


def check(what, holds, seen=""):
    print(("ok  " if holds else "NOT "), what)
    if not holds:
        sys.exit(f"{what}: {seen}")


async def drive(client, where):
    """What an agent does, over any transport. The SDK itself checks replies against the output schemas."""
    print(f"-- {where}, protocol {client.protocol_version}")
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    check("lists the tools", "query_metric" in tools and len(tools) == 12, tools)
    check("they only read", all(tool.annotations.read_only_hint for tool in tools.values()))

    found = await client.call_tool("list_metrics", {"search": "turnover"})
    check("finds a metric", found.structured_content["metrics"][0]["metric"] == "gmv", found)

    query = {"metric_name": "gmv", "group_by": ["market"], "market": ["TH", "VN"], "time": "last month"}
    answer = (await client.call_tool("query_metric", query)).structured_content
    check("queries", answer["rows"] == [["TH", 20.5], ["VN", 6.24]], answer)
    check("with dates and SQL", answer["time"]["first"] == "2025-10-01" and "SELECT" in answer["sql"], answer)

    for kind in ["bar", "hist", "box"]:
        arguments = {"metric": "gmv", "dimension": "market", "kind": kind}
        plot = await client.call_tool("plot_distribution", arguments)
        xml.dom.minidom.parseString(plot.structured_content["svg"])
        check(f"plots ({kind})", plot.content[0].text.count("\n") >= 2, plot)

    compared = await client.call_tool(
        "compare_periods", {"metric": "gmv", "time": "2025-10", "compare": "previous period"}
    )
    check("compares", compared.structured_content["rows"][0][:2] == [26.74, 10], compared)

    for tool, arguments in [
        ("describe_metric", {"metric": "gmv"}),
        ("dimension_values", {"dimension": "market"}),
        ("explain_query", {"query": "gmv by market last month"}),
        ("ask", {"question": "gmv by market last month"}),
        ("ask", {"question": "how is the weather"}),
    ]:
        result = await client.call_tool(tool, arguments)
        check(f"{tool} replies as its schema says", not result.is_error, result)

    refused = await client.call_tool("query_metric", {"metric_name": "gmv", "group_by": ["foo"]})
    error = json.loads(refused.content[0].text)["error"]
    check("is refused an unknown dimension", refused.is_error and "foo" in error["message"], refused)
    check("and told those there are", "market" in error["valid_values"], error)


async def over_stdio():
    parameters = StdioServerParameters(command=BINARY, args=["mcp"], env=ENVIRONMENT, cwd=PROJECT)
    for mode in ["auto", "legacy"]:
        async with Client(stdio_client(parameters), mode=mode) as client:
            await drive(client, f"stdio ({mode})")


async def over_http():
    server = subprocess.Popen(
        [BINARY, "mcp", "--http", "0"], cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = server.stdout.readline().strip()
        right = {"Authorization": f"Bearer {TOKEN}"}
        for mode in ["auto", "legacy"]:
            async with httpx2.AsyncClient(headers=right, timeout=60, trust_env=False) as http:
                async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                    await drive(client, f"HTTP ({mode})")
        for what, headers in [
            ("no token", {}),
            ("a wrong token", {"Authorization": "Bearer wrong"}),
            ("a wrong origin", {**right, "Origin": "http://evil.example"}),
            ("a wrong host", {**right, "Host": "rebound.example"}),
        ]:
            try:
                async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
                    async with Client(streamable_http_client(url, http_client=http)) as client:
                        await client.list_tools()
                check(f"{what} is kept out", False)
            except Exception as error:  # The SDK wraps what the transport says in groups of its own.
                check(f"{what} is kept out", True, error)
    finally:
        server.terminate()
        server.wait()


print("mcp", importlib.metadata.version("mcp"), "python", sys.version.split()[0])
asyncio.run(over_stdio())
asyncio.run(over_http())
