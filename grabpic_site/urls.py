"""Every address of the site."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

from events import views as events_views
from events.api import events, health, images, photos
from events.logins import LimitedLoginForm
from faces.api import files, image_faces, people, staff
from faces.api import gallery as gallery_api
from faces.api import selfie as selfie_api
from faces.views import answering, download, forget, gallery, news, personal, privacy, retrying, selfie
from faces.views import open as open_views
from grabpic_site import documentation, languages, operations

admin.site.site_header = admin.site.site_title = "Grabpic"
admin.site.login_form = LimitedLoginForm
admin.site.index_title = "Events, photos, people"

api_v1 = [
    path("health", health.HealthViewSet.as_view({"get": "retrieve"}), name="api-health"),
    path("health/ready", operations.ReadyViewSet.as_view({"get": "retrieve"}), name="api-ready"),
    path("upload", photos.UploadViewSet.as_view({"post": "create"}), name="api-upload"),
    path("ingest", staff.IngestViewSet.as_view({"post": "create"}), name="api-ingest"),
    path(
        "events/<str:slug>/progress",
        staff.ProgressViewSet.as_view({"get": "retrieve"}),
        name="api-progress",
    ),
    path("events/<str:slug>/retry", photos.RetryViewSet.as_view({"post": "create"}), name="api-retry"),
    path("events/<str:slug>/known", photos.KnownViewSet.as_view({"post": "create"}), name="api-known"),
    path("events", events.EventViewSet.as_view({"get": "list", "post": "create"}), name="api-events"),
    path(
        "events/<str:slug>",
        events.EventViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="api-event",
    ),
    path("images", images.ImageViewSet.as_view({"get": "list"}), name="api-images"),
    path(
        "images/<str:image_id>",
        images.ImageViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="api-image",
    ),
    path("faces", people.FaceViewSet.as_view({"get": "list"}), name="api-faces"),
    path(
        "faces/<str:grab_id>",
        people.FaceViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="api-face",
    ),
    path("faces/<str:grab_id>/merge", people.FaceViewSet.as_view({"post": "merge"}), name="api-merge"),
    path("image-faces", image_faces.ImageFaceViewSet.as_view({"get": "list"}), name="api-image-faces"),
    path("image-faces/<int:pk>", image_faces.ImageFaceViewSet.as_view({"get": "retrieve"}), name="api-image-face"),
    path("image-faces/<int:pk>/move", image_faces.ImageFaceViewSet.as_view({"post": "move"}), name="api-move"),
    path("image-faces/<int:pk>/remove", image_faces.ImageFaceViewSet.as_view({"post": "remove"}), name="api-remove"),
    path("auth/selfie", selfie_api.SelfieViewSet.as_view({"post": "create"}), name="api-selfie"),
    path(
        "users/<str:grab_id>/images",
        gallery_api.GalleryViewSet.as_view({"get": "retrieve"}),
        name="api-gallery",
    ),
    path("storage/<path:key>", files.StorageViewSet.as_view({"get": "retrieve"}), name="api-storage"),
]

handler400 = "events.errors.bad_request"
handler403 = "events.errors.permission_denied"
handler404 = "events.errors.page_not_found"
handler500 = "events.errors.server_error"

urlpatterns = [
    path("", events_views.index, name="index"),
    path("events/<slug:slug>/", selfie.event_page, name="event"),
    path("events/<slug:slug>/code/", events_views.code_page, name="code"),
    path("events/<slug:slug>/cover/", events_views.cover, name="event-cover"),
    path("events/<slug:slug>/poster/", events_views.poster, name="poster"),
    path("events/<slug:slug>/photos/", open_views.browse, name="browse"),
    path("events/<slug:slug>/people/<uuid:grab_id>/", open_views.person, name="person"),
    path("events/<slug:slug>/upload/", events_views.upload_page, name="upload"),
    path("events/<slug:slug>/retry/", retrying.retry, name="retry"),
    path("events/<slug:slug>/selfie/", selfie.selfie, name="selfie"),
    path("events/<slug:slug>/news/", news.news, name="news"),
    path("events/<slug:slug>/gallery/", gallery.gallery, name="gallery"),
    path("events/<slug:slug>/gallery/answer/", answering.answer, name="answer"),
    path("events/<slug:slug>/gallery/asked/<int:witness>/", answering.asked_face, name="asked-face"),
    path("events/<slug:slug>/download/", download.download, name="download"),
    path("events/<slug:slug>/my/<uuid:key>/", personal.personal, name="personal"),
    path("events/<slug:slug>/forget/", forget.forget, name="forget"),
    path("photos/<uuid:image_id>/<slug:rendition>/", gallery.photo, name="photo"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("events/<slug:slug>/privacy/", privacy.privacy, name="event-privacy"),
    path("credits/", TemplateView.as_view(template_name="credits.html"), name="credits"),
    path("language/", languages.choose_language, name="set_language"),
    path("language.js", languages.javascript_catalog, name="javascript-catalog"),
    path("api/v1/", include(api_v1)),
    path("api/schema", documentation.SchemaView.as_view(), name="schema"),
    path("metrics", operations.MetricsViewSet.as_view({"get": "retrieve"}), name="metrics"),
    path("docs", documentation.swagger, name="docs"),
    path("redoc", documentation.redoc, name="redoc"),
    path("admin/", admin.site.urls),
    # Browsers ask for it on pages that name no icon, such as admin's.
    path("favicon.ico", RedirectView.as_view(url=static("favicon.svg"))),
]
