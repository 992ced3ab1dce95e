"""URLs of clearance, below /desk/."""

from django.urls import path

from . import deputy_views, inbox_views, views
from . import desk_views as desks
from . import route_views as routes

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
    path("routes/", routes.routes, name="routes"),
    path("routes/new/", routes.route_new, name="route_new"),
    path("routes/<int:pk>/", routes.route, name="route"),
    path("routes/<int:pk>/rename/", routes.route_rename, name="route_rename"),
    path("routes/<int:pk>/default/", routes.route_default, name="route_default"),
    path("routes/<int:pk>/remove/", routes.route_remove, name="route_remove"),
    path("routes/<int:pk>/steps/", routes.step_add, name="step_add"),
    path("routes/<int:pk>/steps/<int:step>/", routes.step_change, name="step_change"),
    path("routes/<int:pk>/steps/<int:step>/move/", routes.step_move, name="step_move"),
    path("routes/<int:pk>/steps/<int:step>/remove/", routes.step_remove, name="step_remove"),
    path("desks/", desks.desks, name="desks"),
    path("desks/new/", desks.desk_new, name="desk_new"),
    path("desks/<int:pk>/", desks.desk_page, name="desk_page"),
    path("desks/<int:pk>/save/", desks.desk_save, name="desk_save"),
    path("desks/<int:pk>/remove/", desks.desk_remove, name="desk_remove"),
    path("desks/<int:pk>/people/<int:user>/add/", desks.desk_person_add, name="desk_person_add"),
    path("desks/<int:pk>/people/<int:user>/remove/", desks.desk_person_remove, name="desk_person_remove"),
    path("desks/<int:pk>/offices/", desks.office_add, name="office_add"),
    path("desks/<int:pk>/offices/<int:office>/remove/", desks.office_remove, name="office_remove"),
]
