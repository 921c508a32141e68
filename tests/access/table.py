"""The table of every address; see tests.access.test_every_route."""

from typing import Any

from django.contrib.contenttypes.models import ContentType

from bookings.models import Appointment
from tests.access.world import World

# One status stands for all nine callers (tests.access.world.PARTIES): nobody signed in, the owner
# of the object, another patient, the doctor, another doctor, the doctor's secretary, the other
# doctor's secretary, staff without a right, and a superuser.
TABLE = """
# probes and programs

GET    /healthz                                                200
GET    /readyz                                                 200
GET    /metrics                                                404
GET    /.well-known/change-password                            302
GET    /.well-known/security.txt                               200
GET    /robots.txt                                             200

# pages

GET    /                                                       200
GET    /doctors/                                               200
GET    /doctors/<slug>/                                        200
GET    /book/                                                  302
POST   /book/                                                  302
GET    /book/<hold_id>/                                        404 200 404 404 404 404 404 404 404
POST   /book/<hold_id>/                                        404 302 404 404 404 404 404 404 404
GET    /book/<hold_id>/code/                                   404 200 404 404 404 404 404 404 404
POST   /book/<hold_id>/code/                                   404 302 404 404 404 404 404 404 404
POST   /book/<hold_id>/resend/                                 404 302 404 404 404 404 404 404 404
POST   /book/<hold_id>/release/                                404 302 404 404 404 404 404 404 404
GET    /appointments/                                          302 200 200 200 200 200 200 200 200
POST   /appointments/                                          302 405 405 405 405 405 405 405 405
GET    /appointments/<appointment_id>/                         302 200 404 404 404 404 404 404 404
GET    /appointments/<appointment_id>/cancel/                  302 200 404 404 404 404 404 404 404
POST   /appointments/<appointment_id>/cancel/                  404 302 404 404 404 404 404 404 404
GET    /appointments/<appointment_id>/reschedule/              302 200 404 404 404 404 404 404 404
GET    /appointments/<appointment_id>/calendar.ics             404 200 404 404 404 404 404 404 404
GET    /appointments/other-times/<token>/                      200
POST   /appointments/other-times/<token>/take/                 302
GET    /waitlist/offers/<token>/                               200
POST   /waitlist/offers/<token>/accept/                        302
POST   /waitlist/offers/<token>/decline/                       302
GET    /schedule/                                              302 404 404 200 200 200 200 404 404
GET    /schedule/?doctor={doctor_id}                           302 404 404 200 404 200 404 404 404
POST   /schedule/keys/                                         302 404 404 302 302 302 302 404 404
GET    /schedule/visits/<appointment_id>/                      302 404 404 200 404 200 404 404 200
GET    /schedule/visits/<appointment_id>/move/                 302 404 404 200 404 200 404 404 200
POST   /schedule/visits/<appointment_id>/move/                 302 404 404 302 404 302 404 404 302
POST   /schedule/visits/<appointment_id>/act/                  302 404 404 302 404 302 404 302 302
POST   /schedule/visits/<appointment_id>/note/                 302 404 404 302 404 302 404 404 302
GET    /schedule/desk/                                         302 404 404 200 200 200 200 404 404
POST   /schedule/desk/                                         302 404 404 302 200 302 200 404 404
GET    /schedule/desk/?doctor={doctor_id}                      302 404 404 200 404 200 404 404 404
POST   /schedule/desk/?doctor={doctor_id}                      302 404 404 302 404 302 404 404 404
GET    /schedule/availability/                                 302 404 404 200 200 200 200 404 404
POST   /schedule/availability/                                 302 404 404 422 422 422 422 404 404
GET    /schedule/availability/?doctor={doctor_id}              302 404 404 200 404 200 404 404 404
POST   /schedule/availability/?doctor={doctor_id}              302 404 404 422 404 422 404 404 404
GET    /schedule/availability/time-off/                        302 404 404 200 200 200 200 404 404
POST   /schedule/availability/time-off/                        302 404 404 422 422 422 422 404 404
GET    /schedule/availability/time-off/?doctor={doctor_id}     302 404 404 200 404 200 404 404 404
POST   /schedule/availability/time-off/?doctor={doctor_id}     302 404 404 422 404 422 404 404 404
POST   /schedule/availability/time-off/<override_id>/remove/   302 404 404 302 404 302 404 404 404
GET    /schedule/availability/rules/                           302 404 404 200 200 200 200 404 404
POST   /schedule/availability/rules/                           302 404 404 422 422 422 422 404 404
GET    /schedule/availability/rules/?doctor={doctor_id}        302 404 404 200 404 200 404 404 404
POST   /schedule/availability/rules/?doctor={doctor_id}        302 404 404 422 404 422 404 404 404
GET    /schedule/availability/calendars/                       302 404 404 200 200 200 200 404 404
POST   /schedule/availability/calendars/                       302 404 404 422 422 422 422 404 404
GET    /schedule/availability/calendars/?doctor={doctor_id}    302 404 404 200 404 200 404 404 404
POST   /schedule/availability/calendars/?doctor={doctor_id}    302 404 404 422 404 422 404 404 404
POST   /schedule/availability/calendars/<calendar_id>/read/    302 404 404 302 404 302 404 404 404
POST   /schedule/availability/calendars/<calendar_id>/remove/  302 404 404 302 404 302 404 404 404
GET    /schedule/availability/visits/                          302 404 404 200 200 200 200 404 404
POST   /schedule/availability/visits/                          302 404 404 302 422 302 422 404 404
GET    /schedule/availability/visits/?doctor={doctor_id}       302 404 404 200 404 200 404 404 404
POST   /schedule/availability/visits/?doctor={doctor_id}       302 404 404 302 404 302 404 404 404
GET    /schedule/availability/visits/<rearrangement_id>/       302 404 404 200 404 200 404 404 404
GET    /events/doctors/<doctor_id>/                            302 404 404 204 404 204 404 404 404
GET    /schedule/numbers/                                      302 404 404 200 200 200 200 404 404
GET    /schedule/numbers/?doctor={doctor_id}                   302 404 404 200 404 200 404 404 404
GET    /schedule/numbers/days.csv                              302 404 404 200 200 200 200 404 404
GET    /schedule/numbers/days.csv?doctor={doctor_id}           302 404 404 200 404 200 404 404 404
GET    /schedule/feed/                                         302 404 404 200 200 200 200 404 404
GET    /schedule/feed/?doctor={doctor_id}                      302 404 404 200 404 200 404 404 404
POST   /schedule/feed/link/                                    302 404 404 200 404 200 404 404 404
POST   /schedule/feed/revoke/                                  302 404 404 302 404 302 404 404 404
GET    /calendar/<token>.ics                                   200
GET    /after-sign-in/                                         302

# accounts

GET    /accounts/login/                                        200 302 302 302 302 302 302 302 302
POST   /accounts/login/                                        200 302 302 302 302 302 302 302 302
GET    /accounts/logout/                                       302 200 200 200 200 200 200 200 200
POST   /accounts/logout/                                       302
GET    /accounts/inactive/                                     200
GET    /accounts/signup/                                       200 302 302 302 302 302 302 302 302
POST   /accounts/signup/                                       200 302 302 302 302 302 302 302 302
GET    /accounts/reauthenticate/                               302 200 200 200 200 200 200 200 200
POST   /accounts/reauthenticate/                               302 200 200 200 200 200 200 200 200
GET    /accounts/sessions/                                     302
POST   /accounts/sessions/                                     302
GET    /accounts/email/                                        302 200 200 200 200 200 200 200 200
POST   /accounts/email/                                        302
GET    /accounts/confirm-email/                                302
POST   /accounts/confirm-email/                                302
GET    /accounts/password/change/                              302 200 200 200 200 200 200 200 200
POST   /accounts/password/change/                              302 200 200 200 200 200 200 200 200
GET    /accounts/password/set/                                 302
POST   /accounts/password/set/                                 302
GET    /accounts/password/reset/                               200
POST   /accounts/password/reset/                               200
GET    /accounts/login/code/confirm/                           302
POST   /accounts/login/code/confirm/                           302
GET    /accounts/password/reset/key/done/                      200
GET    /accounts/password/reset/key/<uidb36>-<key>/            200
POST   /accounts/password/reset/key/<uidb36>-<key>/            200
GET    /accounts/password/reset/done/                          200
GET    /accounts/login/code/                                   200 302 302 302 302 302 302 302 302
POST   /accounts/login/code/                                   200 302 302 302 302 302 302 302 302

# the API

POST   /api/v1/auth/token                                      200
POST   /api/v1/auth/token/refresh                              200
GET    /api/v1/me                                              401 200 200 200 200 200 200 200 200
GET    /api/v1/doctors                                         200
GET    /api/v1/doctors/<doctor_id>                             200
GET    /api/v1/doctors/<doctor_id>/slots?date={day}            200
GET    /api/v1/doctors/<doctor_id>/appointments?date={day}     401 404 404 200 404 200 404 200 200
POST   /api/v1/doctors/<doctor_id>/appointments                401 404 404 201 404 201 404 201 201
POST   /api/v1/doctors/<doctor_id>/callers                     401 404 404 200 404 200 404 404 200
GET    /api/v1/bookings                                        401 200 200 200 200 200 200 200 200
POST   /api/v1/bookings                                        401 201 201 201 201 201 201 201 201
GET    /api/v1/bookings/<booking_id>                           401 200 404 404 404 404 404 404 404
DELETE /api/v1/bookings/<booking_id>                           401 204 404 404 404 404 404 404 404
POST   /api/v1/bookings/<booking_id>/verify-otp                401 200 404 404 404 404 404 404 404
POST   /api/v1/bookings/<booking_id>/resend-otp                401 202 404 404 404 404 404 404 404
PATCH  /api/v1/bookings/<booking_id>/cancel                    401 200 404 404 404 404 404 404 404
POST   /api/v1/bookings/<booking_id>/move                      401 404 404 200 404 200 404 404 200
PATCH  /api/v1/bookings/<booking_id>/mark                      401 404 404 200 404 200 404 200 200
PATCH  /api/v1/bookings/<booking_id>/reschedule                401 200 404 404 404 404 404 404 404
GET    /api/v1/waitlist                                        401 200 200 200 200 200 200 200 200
POST   /api/v1/waitlist                                        401 201 201 201 201 201 201 201 201
DELETE /api/v1/waitlist/<entry_id>                             401 204 404 404 404 404 404 404 404
POST   /api/v1/waitlist/offers/<offer_id>/accept               401 200 404 404 404 404 404 404 404
GET    /api/v1/schema/                                         200
GET    /api/v1/docs/                                           200
GET    /accounts/reauthenticate/code/                          302 200 200 200 200 200 200 200 200
POST   /accounts/reauthenticate/code/                          302
GET    /accounts/2fa/                                          302 200 200 200 200 200 200 200 200
POST   /accounts/2fa/                                          302 405 405 405 405 405 405 405 405
GET    /accounts/2fa/authenticate/                             302
POST   /accounts/2fa/authenticate/                             302
GET    /accounts/2fa/reauthenticate/                           302
POST   /accounts/2fa/reauthenticate/                           302
GET    /accounts/2fa/totp/activate/                            302
POST   /accounts/2fa/totp/activate/                            302
GET    /accounts/2fa/totp/deactivate/                          302 404 404 404 404 404 404 404 404
POST   /accounts/2fa/totp/deactivate/                          302 404 404 404 404 404 404 404 404
GET    /accounts/2fa/recovery-codes/                           302 404 404 404 404 404 404 404 404
POST   /accounts/2fa/recovery-codes/                           302 405 405 405 405 405 405 405 405
GET    /accounts/2fa/recovery-codes/generate/                  302
POST   /accounts/2fa/recovery-codes/generate/                  302
GET    /accounts/2fa/recovery-codes/download/                  302 404 404 404 404 404 404 404 404
POST   /accounts/2fa/recovery-codes/download/                  302 404 404 404 404 404 404 404 404

# the admin: its own pages

GET    /admin/                                                 302 302 302 302 302 302 302 200 200
GET    /admin/login/                                           302 403 403 403 403 403 403 302 302
POST   /admin/login/                                           302 403 403 403 403 403 403 302 302
GET    /admin/logout/                                          302 302 302 302 302 302 302 405 405
POST   /admin/logout/                                          302 302 302 302 302 302 302 200 200
GET    /admin/password_change/                                 302
POST   /admin/password_change/                                 302
GET    /admin/password_change/done/                            302 302 302 302 302 302 302 200 200
GET    /admin/autocomplete/?{choices}                          302 302 302 302 302 302 302 403 200
GET    /admin/jsi18n/                                          302 302 302 302 302 302 302 200 200

# the admin: r/<content_type_id>

GET    /admin/r/<content_type_id>/<object_id>/                 302 302 302 302 302 302 302 404 404

# the admin: auth/group

GET    /admin/auth/group/                                      302 302 302 302 302 302 302 403 200
POST   /admin/auth/group/                                      302 302 302 302 302 302 302 403 200
GET    /admin/auth/group/add/                                  302 302 302 302 302 302 302 403 200
POST   /admin/auth/group/add/                                  302 302 302 302 302 302 302 403 200
GET    /admin/auth/group/<object_id>/history/                  302 302 302 302 302 302 302 403 200
GET    /admin/auth/group/<object_id>/delete/                   302 302 302 302 302 302 302 403 200
POST   /admin/auth/group/<object_id>/delete/                   302 302 302 302 302 302 302 403 200
GET    /admin/auth/group/<object_id>/change/                   302 302 302 302 302 302 302 403 200
POST   /admin/auth/group/<object_id>/change/                   302 302 302 302 302 302 302 403 200
GET    /admin/auth/group/<object_id>/                          302

# the admin: account/emailaddress

GET    /admin/account/emailaddress/                            302 302 302 302 302 302 302 403 200
POST   /admin/account/emailaddress/                            302 302 302 302 302 302 302 403 200
GET    /admin/account/emailaddress/add/                        302 302 302 302 302 302 302 403 200
POST   /admin/account/emailaddress/add/                        302 302 302 302 302 302 302 403 200
GET    /admin/account/emailaddress/<object_id>/history/        302 302 302 302 302 302 302 403 200
GET    /admin/account/emailaddress/<object_id>/delete/         302 302 302 302 302 302 302 403 200
POST   /admin/account/emailaddress/<object_id>/delete/         302 302 302 302 302 302 302 403 200
GET    /admin/account/emailaddress/<object_id>/change/         302 302 302 302 302 302 302 403 200
POST   /admin/account/emailaddress/<object_id>/change/         302 302 302 302 302 302 302 403 200
GET    /admin/account/emailaddress/<object_id>/                302

# the admin: accounts/user

GET    /admin/accounts/user/<id>/password/                     302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/<id>/password/                     302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/<object_id>/second-factor/         302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/<object_id>/second-factor/         302 302 302 302 302 302 302 403 302
GET    /admin/accounts/user/duplicates/                        302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/duplicates/<kept>/<merged>/        302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/duplicates/<kept>/<merged>/        302 302 302 302 302 302 302 403 302
GET    /admin/accounts/user/duplicates/undo/<merge>/           302 302 302 302 302 302 302 403 302
POST   /admin/accounts/user/duplicates/undo/<merge>/           302 302 302 302 302 302 302 403 404
GET    /admin/accounts/user/                                   302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/                                   302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/add/                               302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/add/                               302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/<object_id>/history/               302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/<object_id>/delete/                302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/<object_id>/delete/                302 302 302 302 302 302 302 403 200
GET    /admin/accounts/user/<object_id>/change/                302 302 302 302 302 302 302 403 200
POST   /admin/accounts/user/<object_id>/change/                302 302 302 302 302 302 302 403 302
GET    /admin/accounts/user/<object_id>/                       302

# the admin: mfa/authenticator

GET    /admin/mfa/authenticator/                               302 302 302 302 302 302 302 403 200
POST   /admin/mfa/authenticator/                               302 302 302 302 302 302 302 403 200
GET    /admin/mfa/authenticator/add/                           302 302 302 302 302 302 302 403 403
POST   /admin/mfa/authenticator/add/                           302 302 302 302 302 302 302 403 403
GET    /admin/mfa/authenticator/<object_id>/history/           302 302 302 302 302 302 302 403 200
GET    /admin/mfa/authenticator/<object_id>/delete/            302 302 302 302 302 302 302 403 403
POST   /admin/mfa/authenticator/<object_id>/delete/            302 302 302 302 302 302 302 403 403
GET    /admin/mfa/authenticator/<object_id>/change/            302 302 302 302 302 302 302 403 200
POST   /admin/mfa/authenticator/<object_id>/change/            302 302 302 302 302 302 302 403 403
GET    /admin/mfa/authenticator/<object_id>/                   302

# the admin: doctors/specialty

GET    /admin/doctors/specialty/                               302 302 302 302 302 302 302 403 200
POST   /admin/doctors/specialty/                               302 302 302 302 302 302 302 403 200
GET    /admin/doctors/specialty/add/                           302 302 302 302 302 302 302 403 200
POST   /admin/doctors/specialty/add/                           302 302 302 302 302 302 302 403 200
GET    /admin/doctors/specialty/<object_id>/history/           302 302 302 302 302 302 302 403 200
GET    /admin/doctors/specialty/<object_id>/delete/            302 302 302 302 302 302 302 403 200
POST   /admin/doctors/specialty/<object_id>/delete/            302 302 302 302 302 302 302 403 200
GET    /admin/doctors/specialty/<object_id>/change/            302 302 302 302 302 302 302 403 200
POST   /admin/doctors/specialty/<object_id>/change/            302 302 302 302 302 302 302 403 200
GET    /admin/doctors/specialty/<object_id>/                   302

# the admin: doctors/slot

GET    /admin/doctors/slot/                                    302 302 302 302 302 302 302 403 200
POST   /admin/doctors/slot/                                    302 302 302 302 302 302 302 403 200
GET    /admin/doctors/slot/add/                                302 302 302 302 302 302 302 403 403
POST   /admin/doctors/slot/add/                                302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slot/<object_id>/history/                302 302 302 302 302 302 302 403 200
GET    /admin/doctors/slot/<object_id>/delete/                 302 302 302 302 302 302 302 403 403
POST   /admin/doctors/slot/<object_id>/delete/                 302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slot/<object_id>/change/                 302 302 302 302 302 302 302 403 200
POST   /admin/doctors/slot/<object_id>/change/                 302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slot/<object_id>/                        302

# the admin: doctors/slotexpansion

GET    /admin/doctors/slotexpansion/                           302 302 302 302 302 302 302 403 200
POST   /admin/doctors/slotexpansion/                           302 302 302 302 302 302 302 403 200
GET    /admin/doctors/slotexpansion/add/                       302 302 302 302 302 302 302 403 403
POST   /admin/doctors/slotexpansion/add/                       302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slotexpansion/<object_id>/history/       302 302 302 302 302 302 302 403 200
GET    /admin/doctors/slotexpansion/<object_id>/delete/        302 302 302 302 302 302 302 403 403
POST   /admin/doctors/slotexpansion/<object_id>/delete/        302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slotexpansion/<object_id>/change/        302 302 302 302 302 302 302 403 200
POST   /admin/doctors/slotexpansion/<object_id>/change/        302 302 302 302 302 302 302 403 403
GET    /admin/doctors/slotexpansion/<object_id>/               302

# the admin: bookings/appointment

GET    /admin/bookings/appointment/export/                     302 302 302 302 302 302 302 403 200
GET    /admin/bookings/appointment/outdated/<kind>/<pk>/ 302 302 302 302 302 302 302 403 200
POST   /admin/bookings/appointment/outdated/<kind>/<pk>/ 302 302 302 302 302 302 302 403 302
GET    /admin/bookings/appointment/                            302 302 302 302 302 302 302 403 200
POST   /admin/bookings/appointment/                            302 302 302 302 302 302 302 403 200
GET    /admin/bookings/appointment/add/                        302 302 302 302 302 302 302 403 403
POST   /admin/bookings/appointment/add/                        302 302 302 302 302 302 302 403 403
GET    /admin/bookings/appointment/<object_id>/history/        302 302 302 302 302 302 302 403 200
GET    /admin/bookings/appointment/<object_id>/delete/         302 302 302 302 302 302 302 403 403
POST   /admin/bookings/appointment/<object_id>/delete/         302 302 302 302 302 302 302 403 403
GET    /admin/bookings/appointment/<object_id>/change/         302 302 302 302 302 302 302 403 200
POST   /admin/bookings/appointment/<object_id>/change/         302 302 302 302 302 302 302 403 403
GET    /admin/bookings/appointment/<object_id>/                302

# the admin: bookings/hold

GET    /admin/bookings/hold/                                   302 302 302 302 302 302 302 403 200
POST   /admin/bookings/hold/                                   302 302 302 302 302 302 302 403 200
GET    /admin/bookings/hold/add/                               302 302 302 302 302 302 302 403 403
POST   /admin/bookings/hold/add/                               302 302 302 302 302 302 302 403 403
GET    /admin/bookings/hold/<object_id>/history/               302 302 302 302 302 302 302 403 200
GET    /admin/bookings/hold/<object_id>/delete/                302 302 302 302 302 302 302 403 403
POST   /admin/bookings/hold/<object_id>/delete/                302 302 302 302 302 302 302 403 403
GET    /admin/bookings/hold/<object_id>/change/                302 302 302 302 302 302 302 403 200
POST   /admin/bookings/hold/<object_id>/change/                302 302 302 302 302 302 302 403 403
GET    /admin/bookings/hold/<object_id>/                       302

# the admin: bookings/waitlistentry

GET    /admin/bookings/waitlistentry/                          302 302 302 302 302 302 302 403 200
POST   /admin/bookings/waitlistentry/                          302 302 302 302 302 302 302 403 200
GET    /admin/bookings/waitlistentry/add/                      302 302 302 302 302 302 302 403 403
POST   /admin/bookings/waitlistentry/add/                      302 302 302 302 302 302 302 403 403
GET    /admin/bookings/waitlistentry/<object_id>/history/      302 302 302 302 302 302 302 403 200
GET    /admin/bookings/waitlistentry/<object_id>/delete/       302 302 302 302 302 302 302 403 403
POST   /admin/bookings/waitlistentry/<object_id>/delete/       302 302 302 302 302 302 302 403 403
GET    /admin/bookings/waitlistentry/<object_id>/change/       302 302 302 302 302 302 302 403 200
POST   /admin/bookings/waitlistentry/<object_id>/change/       302 302 302 302 302 302 302 403 403
GET    /admin/bookings/waitlistentry/<object_id>/              302

# the admin: doctors/clinic

GET    /admin/doctors/clinic/                                  302 302 302 302 302 302 302 403 200
POST   /admin/doctors/clinic/                                  302 302 302 302 302 302 302 403 200
GET    /admin/doctors/clinic/add/                              302 302 302 302 302 302 302 403 200
POST   /admin/doctors/clinic/add/                              302 302 302 302 302 302 302 403 200
GET    /admin/doctors/clinic/<object_id>/history/              302 302 302 302 302 302 302 403 200
GET    /admin/doctors/clinic/<object_id>/delete/               302 302 302 302 302 302 302 403 403
POST   /admin/doctors/clinic/<object_id>/delete/               302 302 302 302 302 302 302 403 403
GET    /admin/doctors/clinic/<object_id>/change/               302 302 302 302 302 302 302 403 200
POST   /admin/doctors/clinic/<object_id>/change/               302 302 302 302 302 302 302 403 200
GET    /admin/doctors/clinic/<object_id>/public-holidays/      302 302 302 302 302 302 302 403 200
POST   /admin/doctors/clinic/<object_id>/public-holidays/      302 302 302 302 302 302 302 403 302
GET    /admin/doctors/clinic/<object_id>/                      302

# the admin: doctors/doctor

GET    /admin/doctors/doctor/                                  302 302 302 302 302 302 302 403 200
POST   /admin/doctors/doctor/                                  302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/csv/<kind>/                       302 302 302 302 302 302 302 403 200
POST   /admin/doctors/doctor/csv/<kind>/                       302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/csv/<kind>/export/                302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/add/                              302 302 302 302 302 302 302 403 200
POST   /admin/doctors/doctor/add/                              302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/<object_id>/booking/              302 302 302 302 302 302 302 403 200
POST   /admin/doctors/doctor/<object_id>/booking/              302 302 302 302 302 302 302 403 302
GET    /admin/doctors/doctor/<object_id>/history/              302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/<object_id>/delete/               302 302 302 302 302 302 302 403 403
POST   /admin/doctors/doctor/<object_id>/delete/               302 302 302 302 302 302 302 403 403
GET    /admin/doctors/doctor/<object_id>/change/               302 302 302 302 302 302 302 403 200
POST   /admin/doctors/doctor/<object_id>/change/               302 302 302 302 302 302 302 403 200
GET    /admin/doctors/doctor/<object_id>/                      302

# the admin: bookings/bookingpause

GET    /admin/bookings/bookingpause/                           302 302 302 302 302 302 302 403 200
POST   /admin/bookings/bookingpause/                           302 302 302 302 302 302 302 403 200
GET    /admin/bookings/bookingpause/add/                       302 302 302 302 302 302 302 403 403
POST   /admin/bookings/bookingpause/add/                       302 302 302 302 302 302 302 403 403
GET    /admin/bookings/bookingpause/<object_id>/history/       302 302 302 302 302 302 302 403 200
GET    /admin/bookings/bookingpause/<object_id>/delete/        302 302 302 302 302 302 302 403 403
POST   /admin/bookings/bookingpause/<object_id>/delete/        302 302 302 302 302 302 302 403 403
GET    /admin/bookings/bookingpause/<object_id>/change/        302 302 302 302 302 302 302 403 200
POST   /admin/bookings/bookingpause/<object_id>/change/        302 302 302 302 302 302 302 403 302
GET    /admin/bookings/bookingpause/<object_id>/               302

# the admin: outbox/outboxmessage

GET    /admin/outbox/outboxmessage/                            302 302 302 302 302 302 302 403 200
POST   /admin/outbox/outboxmessage/                            302 302 302 302 302 302 302 403 200
GET    /admin/outbox/outboxmessage/add/                        302 302 302 302 302 302 302 403 403
POST   /admin/outbox/outboxmessage/add/                        302 302 302 302 302 302 302 403 403
GET    /admin/outbox/outboxmessage/<object_id>/history/        302 302 302 302 302 302 302 403 200
GET    /admin/outbox/outboxmessage/<object_id>/delete/         302 302 302 302 302 302 302 403 403
POST   /admin/outbox/outboxmessage/<object_id>/delete/         302 302 302 302 302 302 302 403 403
GET    /admin/outbox/outboxmessage/<object_id>/change/         302 302 302 302 302 302 302 403 200
POST   /admin/outbox/outboxmessage/<object_id>/change/         302 302 302 302 302 302 302 403 403
GET    /admin/outbox/outboxmessage/<object_id>/                302

# the admin: audit/auditevent

GET    /admin/audit/auditevent/                                302 302 302 302 302 302 302 403 200
POST   /admin/audit/auditevent/                                302 302 302 302 302 302 302 403 200
GET    /admin/audit/auditevent/add/                            302 302 302 302 302 302 302 403 403
POST   /admin/audit/auditevent/add/                            302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditevent/<object_id>/history/            302 302 302 302 302 302 302 403 200
GET    /admin/audit/auditevent/<object_id>/delete/             302 302 302 302 302 302 302 403 403
POST   /admin/audit/auditevent/<object_id>/delete/             302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditevent/<object_id>/change/             302 302 302 302 302 302 302 403 200
POST   /admin/audit/auditevent/<object_id>/change/             302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditevent/<object_id>/                    302

# the admin: audit/auditseal

GET    /admin/audit/auditseal/                                 302 302 302 302 302 302 302 403 200
POST   /admin/audit/auditseal/                                 302 302 302 302 302 302 302 403 200
GET    /admin/audit/auditseal/add/                             302 302 302 302 302 302 302 403 403
POST   /admin/audit/auditseal/add/                             302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditseal/<object_id>/history/             302 302 302 302 302 302 302 403 200
GET    /admin/audit/auditseal/<object_id>/delete/              302 302 302 302 302 302 302 403 403
POST   /admin/audit/auditseal/<object_id>/delete/              302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditseal/<object_id>/change/              302 302 302 302 302 302 302 403 200
POST   /admin/audit/auditseal/<object_id>/change/              302 302 302 302 302 302 302 403 403
GET    /admin/audit/auditseal/<object_id>/                     302

# the admin: its own pages

GET    /admin/<app_label>/                                     302 302 302 302 302 302 302 404 200
GET    /admin/<url>                                            302 302 302 302 302 302 302 404 404
"""

# The request bodies, under the names in tests.access.world.
BODIES = {
    "POST /book/": "start",
    "POST /book/<hold_id>/": "details",
    "POST /book/<hold_id>/code/": "code",
    "POST /appointments/<appointment_id>/cancel/": "version",
    "POST /schedule/visits/<appointment_id>/act/": "act",
    "POST /schedule/visits/<appointment_id>/note/": "note",
    "POST /schedule/visits/<appointment_id>/move/": "move",
    "POST /api/v1/bookings/<booking_id>/move": "api move",
    "PATCH /api/v1/bookings/<booking_id>/mark": "api act",
    "POST /schedule/availability/visits/": "decision",
    "POST /appointments/other-times/<token>/take/": "take",
    "POST /schedule/desk/": "desk",
    "POST /schedule/feed/link/": "feed",
    "POST /schedule/feed/revoke/": "feed",
    "POST /api/v1/doctors/<doctor_id>/appointments": "book caller",
    "POST /api/v1/doctors/<doctor_id>/callers": "callers",
    "POST /api/v1/auth/token": "password",
    "POST /api/v1/auth/token/refresh": "refresh",
    "POST /api/v1/bookings": "api start",
    "POST /api/v1/bookings/<booking_id>/verify-otp": "code",
    "POST /api/v1/waitlist": "wait",
}
_OF_AN_ATTEMPT = ("DELETE /api/v1/bookings/", "POST /api/v1/bookings/")


def names_of(world: World, *, method: str, route: str) -> dict[str, Any]:
    """The names that differ at this address."""
    if route.startswith("/admin/bookings/appointment/outdated/"):
        return {"pk": world.names["clinic_id"]}
    if route.startswith("/admin/accounts/user/duplicates/"):
        return {
            "kept": world.people["other patient"].pk,
            "merged": world.people["owner"].pk,
            "merge": 0,
        }
    if route.startswith("/admin/doctors/doctor/csv/"):
        return {"kind": "hours"}
    if route.startswith("/appointments/other-times/"):
        return {"token": world.names["other_times_token"]}
    if route.startswith("/calendar/"):
        return {"token": world.names["feed_token"]}
    if f"{method} {route}".startswith(_OF_AN_ATTEMPT) and not route.endswith("/move"):
        return {"booking_id": world.names["hold_id"]}
    if route.startswith("/admin/r/"):
        kind = ContentType.objects.get_for_model(Appointment)
        return {"content_type_id": kind.pk, "object_id": world.names["appointment_id"]}
    found = world.objects.get("/".join(route.split("/")[2:4]))
    return {"object_id": found.pk, "id": found.pk} if found else {}
