from django.apps import AppConfig


class GrabpicSiteConfig(AppConfig):
    name = "grabpic_site"
