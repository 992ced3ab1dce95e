"""URLs of drafting, below /desk/."""

from django.urls import path

from . import intake_views, remark_views, views

urlpatterns = [
    path("stories/new/", views.new, name="story_new"),
    path("stories/new/working-copy/", views.working_copy, name="new_working_copy"),
    path("stories/from-text/", intake_views.from_text, name="story_from_text"),
    path("stories/<uuid:uid>/", views.draft, name="story_draft"),
    path("stories/<uuid:uid>/save/", views.save, name="story_save"),
    path("stories/<uuid:uid>/working-copy/", views.working_copy, name="story_working_copy"),
    path("stories/<uuid:uid>/team/", views.team, name="story_team"),
    path("stories/<uuid:uid>/embargo/", views.embargo, name="story_embargo"),
    path("stories/<uuid:uid>/translation/", views.translation, name="story_translation"),
    path("stories/<uuid:uid>/translation/end/", views.translation_end, name="translation_end"),
    path("stories/<uuid:uid>/revisions/<int:number>/", views.revision, name="story_revision"),
    path(
        "stories/<uuid:uid>/revisions/<int:number>/restore/",
        remark_views.revision_restore,
        name="revision_restore",
    ),
    path("stories/<uuid:uid>/comments/", remark_views.story_comments, name="story_comments"),
    path(
        "stories/<uuid:uid>/comments/<int:pk>/resolve/", remark_views.comment_resolve, name="comment_resolve"
    ),
    path("stories/<uuid:uid>/suggestions/", remark_views.story_suggest, name="story_suggest"),
    path(
        "stories/<uuid:uid>/suggestions/<int:pk>/take/", remark_views.suggestion_take, name="suggestion_take"
    ),
    path(
        "stories/<uuid:uid>/suggestions/<int:pk>/decline/",
        remark_views.suggestion_decline,
        name="suggestion_decline",
    ),
    path("stories/<uuid:uid>/record/", views.story_record, name="story_record"),
    path("media/<str:name>", views.staff_media, name="staff_media"),
]
