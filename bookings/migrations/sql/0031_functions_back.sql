SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS bookings_check_change_of_patient();

DROP FUNCTION IF EXISTS bookings_move_time_of_patient();
