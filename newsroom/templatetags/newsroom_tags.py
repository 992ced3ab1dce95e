"""What the pages of every room show of a story, without their views having to look upward."""

from datetime import datetime

from django import template

from approvals import forecast
from newsroom.state import Clearance, State, state_of
from stories.clocks import office
from stories.models import Story
from stories.moments import Moment

register = template.Library()


@register.simple_tag
def story_head(story: Story, look: Clearance | str = "") -> State:
    """The state of a story, for the head of its pages; from what `look` knows of it, where a page has one."""
    return state_of(story, None if isinstance(look, str) else look)


@register.simple_tag
def story_forecast(state: State) -> forecast.StoryForecast:
    """When the desks that are asked will be done, at their pace.

    None for newer words of a public story until a moment is planned for them: the one that it had has passed.
    """
    if state.live and not state.planned:
        return forecast.StoryForecast([])
    return forecast.of_story(state.progress, state.planned)


@register.filter
def moment(instant: datetime) -> Moment:
    """An instant on the press office's clocks, as a `Moment`."""
    return office(instant)
