import pytest, statistics
from django.core.cache import cache
from datetime import timedelta
from time import sleep
from newsroom.models import *
from newsroom import releasing
from tests.newsroom.test_worker import *
pytestmark=[pytest.mark.django_db(transaction=True)]
def show(name, rel):
    late=sorted(a.lateness.total_seconds()*1000 for a in Announcement.objects.filter(release__in=rel))
    print(f"\n{name}: n={len(late)} min {late[0]:.0f} median {statistics.median(late):.0f} p90 {late[int(len(late)*.9)]:.0f} max {late[-1]:.0f} ms")
def test_it(live_newsroom, tmp_path):
    cache.clear()
    Subscriber.objects.bulk_create(Subscriber(email=email) for email in EMAILS)
    with worker_and_beat(tmp_path):
        wait_for(alive,30,tmp_path)
        rel=[]
        for n in range(20):
            rel.append(arm(live_newsroom, seconds=2.5, slug=f"a{n}")); sleep(.6)
        sleep(4); show("20 one by one", rel)
        revs=[live_newsroom.cleared(slug=f"b{n}") for n in range(50)]
        m=Moment(database_now().astimezone(UTC)+timedelta(seconds=6),"Europe/London")
        rel=[]
        for r in revs:
            x=releasing.arm(revision=r,by=live_newsroom.officer,moment=m); tasks.expect(x.story); rel.append(x)
        sleep(10); show("50 at one instant", rel)
        # by look_ahead alone
        rel=[]
        for n in range(10):
            mm=Moment(database_now().astimezone(UTC)+timedelta(seconds=25+n*.5),"Europe/London")
            rel.append(releasing.arm(revision=live_newsroom.cleared(slug=f"c{n}"),by=live_newsroom.officer,moment=mm))
        sleep(35); show("10 by looking ahead alone", rel)
        # release now
        rel=[]
        for n in range(10):
            x=releasing.arm(revision=live_newsroom.cleared(slug=f"d{n}"),by=live_newsroom.officer,moment=None); tasks.expect(x.story); rel.append(x); sleep(.5)
        sleep(4); show("10 released now", rel)
        print(Delivery.objects.filter(sent_at=None).count(), "unsent")
