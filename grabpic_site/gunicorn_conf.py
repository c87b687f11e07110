"""How gunicorn serves Grabpic: one process, because each loads the engine (some 400 MB), and threads for the rest."""

wsgi_app = "grabpic_site.wsgi"
worker_class = "gthread"
workers = 1
threads = 8
timeout = 120
# It would make a folder in the home of whoever starts it.
control_socket_disable = True
