"""URLs of clearance, below /desk/."""

from django.urls import path

from . import views

urlpatterns = [
    path("clearances/", views.inbox_page, name="inbox"),
    path("stories/<uuid:uid>/clearing/", views.story_clearing, name="story_clearing"),
    path("stories/<uuid:uid>/clearing/submit/", views.story_submit, name="story_submit"),
    path("stories/<uuid:uid>/clearing/<int:step>/decide/", views.story_decide, name="story_decide"),
    path(
        "stories/<uuid:uid>/clearing/decisions/<int:decision>/take-back/",
        views.story_take_back,
        name="story_take_back",
    ),
]
