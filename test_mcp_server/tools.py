"""The tools of the test server."""

import asyncio
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from assertion import verifier_from_environment
from identity import seen_identity

READS = ToolAnnotations(read_only_hint=True)
DELETES = ToolAnnotations(read_only_hint=False, destructive_hint=True)


def build_server() -> MCPServer:
    """A server with its own notes: each process starts with the same two."""
    server = MCPServer("test-mcp-server", version="1.0.0", log_level="WARNING")
    verifier = verifier_from_environment()
    notes = {"welcome": "Hello from the notes.", "todo": "Buy milk."}

    @server.tool(annotations=READS)
    def whoami(ctx: Context) -> dict[str, Any]:
        """Who is calling, according to the headers that reached this server."""
        request = ctx.request_context.request
        headers = request.headers.raw if request else []
        verified = {"verified": verifier.caller(headers)} if verifier else {}
        return {**seen_identity(headers), **verified}

    @server.tool(annotations=READS)
    def echo(message: str) -> str:
        """Give the message back."""
        return message

    @server.tool(annotations=READS)
    def read_note(name: str) -> str:
        """The text of a note."""
        if name not in notes:
            raise ToolError(f"there is no note {name!r}")
        return notes[name]

    @server.tool(annotations=DELETES)
    def delete_note(name: str) -> str:
        """Delete a note for good."""
        if notes.pop(name, None) is None:
            raise ToolError(f"there is no note {name!r}")
        return f"deleted {name}"

    @server.tool(annotations=READS)
    async def countdown(seconds: Annotated[int, Field(ge=0, le=600)], ctx: Context) -> str:
        """Count down, with one progress notification a second."""
        for second in range(seconds):
            await ctx.report_progress(second + 1, seconds, f"{seconds - second} left")
            # The pause comes after it: the TypeScript SDK drops a notification that arrives together with the result.
            await asyncio.sleep(1)
        return "lift-off"

    return server
