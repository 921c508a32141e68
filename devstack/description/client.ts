// A program of a mobile app, compiled in strict mode against the types of docs/openapi.yaml: it
// searches, holds, confirms, moves and cancels, and needs no cast.
import createClient from "openapi-fetch";
import type { paths } from "./api";

const api = createClient<paths>({ baseUrl: "https://docbook.example" });

export async function book(email: string, password: string, code: () => Promise<string>) {
  const { data: tokens } = await api.POST("/api/v1/auth/token", { body: { email, password } });
  if (!tokens) return undefined;
  const headers = { Authorization: `Bearer ${tokens.access}` };

  const { data: found } = await api.GET("/api/v1/doctors", {
    params: { query: { city: "Utrecht", limit: 5 } },
  });
  const doctor = found?.items[0];
  const visitType = doctor?.visitTypes[0];
  if (!doctor || !visitType) return undefined;

  const { data: times } = await api.GET("/api/v1/doctors/{doctor_id}/slots", {
    params: { path: { doctor_id: doctor.id }, query: { date: "2027-01-04" } },
  });
  const time = times?.items[0];
  if (!time) return undefined;

  const { data: attempt, error } = await api.POST("/api/v1/bookings", {
    headers,
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { slotId: time.slotId, visitTypeId: visitType.id },
  });
  if (!attempt) {
    if (error.code === "slot-taken") return error.alternatives.map((other) => other.startsAt);
    return undefined;
  }

  const { data: visit } = await api.POST("/api/v1/bookings/{booking_id}/verify-otp", {
    headers,
    params: { path: { booking_id: attempt.attemptId } },
    body: { code: await code() },
  });
  if (!visit) return undefined;

  const seen = { "If-Match": `"${visit.version}"` };
  const { data: others } = await api.PATCH("/api/v1/bookings/{booking_id}/reschedule", {
    headers,
    params: { path: { booking_id: visit.id }, header: seen },
  });
  const later = others?.items[0];
  if (later) {
    await api.POST("/api/v1/bookings", {
      headers,
      params: { header: { "Idempotency-Key": crypto.randomUUID() } },
      body: { slotId: later.slotId, visitTypeId: visit.visitType.id, replaces: visit.id },
    });
  }
  const { data: off } = await api.PATCH("/api/v1/bookings/{booking_id}/cancel", {
    headers,
    params: { path: { booking_id: visit.id }, header: seen },
    body: {},
  });
  return off?.status;
}
