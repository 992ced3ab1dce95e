"""All URLs. `access.PAGES` says who may open each."""

from allauth.account import views as account
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path, re_path

from . import accounts, desk_views

accounts_patterns = [
    path("login/", account.login, name="account_login"),
    path("login/demo/", accounts.demo_login, name="demo_login"),
    path("logout/", account.logout, name="account_logout"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

handler404 = "newsroom.public.not_found"
handler400 = "newsroom.access.bad_request"

urlpatterns = [
    # First, because they are asked for most; none of them begins as what is for staff does.
    path("", include("newsroom.public_urls")),
    # In Welsh below /cy/.
    *i18n_patterns(path("", include("newsroom.page_urls")), prefix_default_language=False),
    path("desk/", desk_views.desk, name="desk"),
    path("desk/stories/", desk_views.story_list, name="story_list"),
    path("desk/", include("stories.urls")),
    path("desk/", include("approvals.urls")),
    path("desk/", include("newsroom.release_urls")),
    path("desk/admin/", admin.site.urls),
    path("accounts/", include(accounts_patterns)),
]
