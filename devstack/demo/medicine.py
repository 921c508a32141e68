"""Fields of medicine in the demo: what each is called, and what one comes for.

Fees are in euros; each country turns them into its own money. The icons are in static/icons.svg.
"""

from typing import NamedTuple

from doctors.models import Mode

HERE, VIDEO, PHONE = Mode.IN_PERSON, Mode.VIDEO, Mode.PHONE


class Reason(NamedTuple):
    """A visit type: how many slots it takes, how one meets, and the fee in euros."""

    name: str
    slots: int
    mode: Mode
    fee: int


class Field(NamedTuple):
    """`weight`: how many doctors of a thousand; `interests` fill the sentence about a doctor."""

    name: str
    slug: str
    practitioner: str
    icon: str
    weight: int
    interests: tuple[str, ...]
    reasons: tuple[Reason, ...]


FIELDS: tuple[Field, ...] = (
    Field("Family doctor", "family-doctor", "family doctor", "heart-pulse", 214,
          ("long-term conditions", "the health of whole families", "travellers and newcomers"),
          (Reason("Consultation", 1, HERE, 34), Reason("Phone advice", 1, PHONE, 18),
           Reason("Video consultation", 1, VIDEO, 26), Reason("Long consultation", 2, HERE, 62),
           Reason("Health check", 3, HERE, 95))),
    Field("Dermatology", "dermatology", "dermatologist", "sparkles", 68,
          ("skin cancer screening", "eczema and psoriasis", "hair and nails"),
          (Reason("Skin check", 1, HERE, 62), Reason("First visit, new concern", 2, HERE, 95),
           Reason("Follow-up", 1, VIDEO, 35), Reason("Mole removal", 3, HERE, 140))),
    Field("Dentistry", "dentistry", "dentist", "smile", 131,
          ("anxious patients", "root canal treatment", "children's teeth"),
          (Reason("Check-up", 1, HERE, 45), Reason("Cleaning", 2, HERE, 70),
           Reason("Filling", 2, HERE, 98), Reason("Toothache", 1, HERE, 55))),
    Field("Paediatrics", "paediatrics", "paediatrician", "baby", 57,
          ("newborns", "asthma in children", "growth and sleep"),
          (Reason("Sick child", 1, HERE, 48), Reason("Check-up", 2, HERE, 66),
           Reason("Video consultation", 1, VIDEO, 36), Reason("Vaccination", 1, HERE, 28))),
    Field("Eye care", "eye-care", "ophthalmologist", "eye", 43,
          ("glaucoma", "dry eyes", "children's eyes"),
          (Reason("Eye test", 1, HERE, 49), Reason("First visit", 2, HERE, 88),
           Reason("Pressure check", 1, HERE, 38), Reason("Follow-up", 1, PHONE, 25))),
    Field("Psychology", "psychology", "psychologist", "brain", 96,
          ("anxiety and burnout", "grief", "attention and autism"),
          (Reason("Session", 2, HERE, 90), Reason("Video session", 2, VIDEO, 85),
           Reason("First talk", 1, VIDEO, 45), Reason("Couple session", 3, HERE, 130))),
    Field("Orthopaedics", "orthopaedics", "orthopaedic surgeon", "bone", 39,
          ("knees and hips", "shoulders", "sports injuries"),
          (Reason("First visit", 2, HERE, 105), Reason("Follow-up", 1, HERE, 58),
           Reason("Results by phone", 1, PHONE, 30), Reason("Injection", 1, HERE, 85))),
    Field("Ear, nose, throat", "ear-nose-throat", "ENT specialist", "ear", 28,
          ("hearing", "sinus trouble", "snoring and sleep"),
          (Reason("First visit", 1, HERE, 78), Reason("Hearing test", 2, HERE, 92),
           Reason("Follow-up", 1, VIDEO, 40))),
    Field("Cardiology", "cardiology", "cardiologist", "activity", 28,
          ("rhythm disorders", "high blood pressure", "heart failure"),
          (Reason("First visit with ECG", 2, HERE, 135), Reason("Follow-up", 1, HERE, 70),
           Reason("Results by video", 1, VIDEO, 45), Reason("Exercise test", 3, HERE, 180))),
    Field("Gynaecology", "gynaecology", "gynaecologist", "venus", 34,
          ("pregnancy", "endometriosis", "menopause"),
          (Reason("Check-up", 1, HERE, 72), Reason("First visit", 2, HERE, 98),
           Reason("Ultrasound", 1, HERE, 85), Reason("Video consultation", 1, VIDEO, 50))),
    Field("Physiotherapy", "physiotherapy", "physiotherapist", "accessibility", 46,
          ("back and neck", "recovery after surgery", "runners"),
          (Reason("Treatment", 1, HERE, 42), Reason("First assessment", 2, HERE, 64),
           Reason("Video exercises", 1, VIDEO, 32))),
    Field("Neurology", "neurology", "neurologist", "scan", 20,
          ("migraine", "epilepsy", "Parkinson's disease"),
          (Reason("First visit", 2, HERE, 130), Reason("Follow-up", 1, HERE, 68),
           Reason("Migraine by video", 1, VIDEO, 55))),
    Field("Endocrinology", "endocrinology", "endocrinologist", "droplet", 16,
          ("diabetes", "thyroid", "hormones and bones"),
          (Reason("First visit", 2, HERE, 118), Reason("Follow-up", 1, HERE, 60),
           Reason("Results by phone", 1, PHONE, 28))),
    Field("Urology", "urology", "urologist", "droplets", 18,
          ("kidney stones", "prostate", "bladder trouble"),
          (Reason("First visit", 1, HERE, 90), Reason("Check-up", 1, HERE, 70),
           Reason("Follow-up", 1, PHONE, 32), Reason("Bladder examination", 2, HERE, 150))),
    Field("Lung medicine", "lung-medicine", "lung specialist", "wind", 16,
          ("asthma", "COPD", "sleep apnoea"),
          (Reason("First visit", 2, HERE, 120), Reason("Lung function test", 1, HERE, 80),
           Reason("Follow-up", 1, VIDEO, 45))),
    Field("Allergy", "allergy", "allergist", "flower-2", 16,
          ("hay fever", "food allergy", "allergic children"),
          (Reason("Allergy test", 2, HERE, 98), Reason("Injection", 1, HERE, 35),
           Reason("Results by video", 1, VIDEO, 40))),
    Field("Rheumatology", "rheumatology", "rheumatologist", "hand", 14,
          ("arthritis", "gout", "lupus"),
          (Reason("First visit", 2, HERE, 122), Reason("Follow-up", 1, HERE, 64),
           Reason("Results by phone", 1, PHONE, 30))),
    Field("Oncology", "oncology", "oncologist", "ribbon", 14,
          ("breast cancer", "bowel cancer", "second opinions"),
          (Reason("First visit", 3, HERE, 160), Reason("Follow-up", 1, HERE, 75),
           Reason("Second opinion by video", 2, VIDEO, 120))),
    Field("Psychiatry", "psychiatry", "psychiatrist", "heart-handshake", 28,
          ("depression", "bipolar disorder", "medication reviews"),
          (Reason("First visit", 3, HERE, 150), Reason("Session", 2, HERE, 98),
           Reason("Medication review", 1, VIDEO, 55))),
    Field("Nutrition", "nutrition", "dietitian", "salad", 20,
          ("diabetes and food", "sports nutrition", "children who eat little"),
          (Reason("First talk", 2, HERE, 68), Reason("Follow-up", 1, VIDEO, 35),
           Reason("Meal plan by phone", 1, PHONE, 30))),
    Field("Podiatry", "podiatry", "podiatrist", "footprints", 16,
          ("diabetic feet", "runners' feet", "insoles"),
          (Reason("Treatment", 1, HERE, 44), Reason("First assessment", 2, HERE, 66),
           Reason("Insole fitting", 2, HERE, 90))),
    Field("Travel medicine", "travel-medicine", "travel doctor", "syringe", 12,
          ("malaria prevention", "long journeys", "pregnant travellers"),
          (Reason("Travel advice", 1, HERE, 38), Reason("Vaccination", 1, HERE, 30),
           Reason("Advice by phone", 1, PHONE, 22))),
    Field("Internal medicine", "internal-medicine", "internist", "microscope", 22,
          ("unexplained tiredness", "high blood pressure", "older patients"),
          (Reason("First visit", 2, HERE, 118), Reason("Blood test", 1, HERE, 46),
           Reason("Follow-up", 1, VIDEO, 48))),
    Field("Gastroenterology", "gastroenterology", "gastroenterologist", "pill", 14,
          ("reflux", "Crohn's disease", "food intolerance"),
          (Reason("First visit", 2, HERE, 124), Reason("Follow-up", 1, HERE, 62),
           Reason("Results by phone", 1, PHONE, 30))),
)  # fmt: skip
