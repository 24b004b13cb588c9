"""The demo: an issuer, the service, an MCP server and a proxy on loopback, and three requests to try.

`main` reads the command line, `stage` starts and ends the parts, `lines` holds the three requests, `screen` all that is
printed. `issuer` runs inside this process; each `part` is a child process; `proxies` prepares the shipped files.
"""
