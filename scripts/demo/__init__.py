"""The demo: the service with its authorization server, an MCP server and a proxy on loopback, for any MCP client.

`main` reads the command line, `stage` starts and ends the parts, `screen` holds all that is printed, `story` is what the
check plays: clients that connect, people who agree and refuse. Each `part` is a child process; `proxies` prepares the
shipped files.
"""
