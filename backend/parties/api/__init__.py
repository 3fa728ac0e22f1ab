from backend.parties.api import people, session

urlpatterns = session.urlpatterns + people.urlpatterns
