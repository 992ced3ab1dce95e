"""URLs of clearance, below /desk/."""

from django.urls import path

from . import deputy_views, inbox_views, views

urlpatterns = [
    path("clearances/", inbox_views.inbox_page, name="inbox"),
    path("deputies/", deputy_views.deputies_page, name="deputies"),
    path("deputies/<int:number>/end/", deputy_views.deputy_end, name="deputy_end"),
    path("stories/<uuid:uid>/clearing/", views.story_clearing, name="story_clearing"),
    path("stories/<uuid:uid>/clearing/submit/", views.story_submit, name="story_submit"),
    path("stories/<uuid:uid>/clearing/<int:step>/decide/", views.story_decide, name="story_decide"),
    path(
        "stories/<uuid:uid>/clearing/decisions/<int:decision>/take-back/",
        views.story_take_back,
        name="story_take_back",
    ),
    path("stories/<uuid:uid>/clearing/<int:step>/take/", inbox_views.story_take, name="story_take"),
    path("stories/<uuid:uid>/clearing/<int:step>/let-go/", inbox_views.story_let_go, name="story_let_go"),
]
