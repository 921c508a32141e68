"""Fields of medicine in the demo: their names, and their visit types.

Fees are in euros; each country converts them into its own currency. The icons are in
static/icons.svg.
"""

from typing import NamedTuple

from doctors.models import Mode

HERE, VIDEO, PHONE = Mode.IN_PERSON, Mode.VIDEO, Mode.PHONE


class Treatment(NamedTuple):
    """A visit type: its number of slots, its mode, and the fee in euros."""

    name: str
    slots: int
    mode: Mode
    fee: int


class Field(NamedTuple):
    """`weight`: how many doctors in a thousand. `interests` complete the sentence about a
    doctor.
    """

    name: str
    slug: str
    practitioner: str
    icon: str
    weight: int
    interests: tuple[str, ...]
    treatments: tuple[Treatment, ...]


FIELDS: tuple[Field, ...] = (
    Field("Family doctor", "family-doctor", "family doctor", "heart-pulse", 214,
          ("long-term conditions", "the health of whole families", "travellers and newcomers"),
          (Treatment("Consultation", 1, HERE, 34), Treatment("Phone advice", 1, PHONE, 18),
           Treatment("Video consultation", 1, VIDEO, 26),
           Treatment("Long consultation", 2, HERE, 62), Treatment("Health check", 3, HERE, 95))),
    Field("Dermatology", "dermatology", "dermatologist", "sparkles", 68,
          ("skin cancer screening", "eczema and psoriasis", "hair and nails"),
          (Treatment("Skin check", 1, HERE, 62), Treatment("First visit, new concern", 2, HERE, 95),
           Treatment("Follow-up", 1, VIDEO, 35), Treatment("Mole removal", 3, HERE, 140))),
    Field("Dentistry", "dentistry", "dentist", "smile", 131,
          ("anxious patients", "root canal treatment", "children's teeth"),
          (Treatment("Check-up", 1, HERE, 45), Treatment("Cleaning", 2, HERE, 70),
           Treatment("Filling", 2, HERE, 98), Treatment("Toothache", 1, HERE, 55))),
    Field("Paediatrics", "paediatrics", "paediatrician", "baby", 57,
          ("newborns", "asthma in children", "growth and sleep"),
          (Treatment("Sick child", 1, HERE, 48), Treatment("Check-up", 2, HERE, 66),
           Treatment("Video consultation", 1, VIDEO, 36), Treatment("Vaccination", 1, HERE, 28))),
    Field("Eye care", "eye-care", "ophthalmologist", "eye", 43,
          ("glaucoma", "dry eyes", "children's eyes"),
          (Treatment("Eye test", 1, HERE, 49), Treatment("First visit", 2, HERE, 88),
           Treatment("Pressure check", 1, HERE, 38), Treatment("Follow-up", 1, PHONE, 25))),
    Field("Psychology", "psychology", "psychologist", "brain", 96,
          ("anxiety and burnout", "grief", "attention and autism"),
          (Treatment("Session", 2, HERE, 90), Treatment("Video session", 2, VIDEO, 85),
           Treatment("First talk", 1, VIDEO, 45), Treatment("Couple session", 3, HERE, 130))),
    Field("Orthopaedics", "orthopaedics", "orthopaedic surgeon", "bone", 39,
          ("knees and hips", "shoulders", "sports injuries"),
          (Treatment("First visit", 2, HERE, 105), Treatment("Follow-up", 1, HERE, 58),
           Treatment("Results by phone", 1, PHONE, 30), Treatment("Injection", 1, HERE, 85))),
    Field("Ear, nose, throat", "ear-nose-throat", "ENT specialist", "ear", 28,
          ("hearing", "sinus trouble", "snoring and sleep"),
          (Treatment("First visit", 1, HERE, 78), Treatment("Hearing test", 2, HERE, 92),
           Treatment("Follow-up", 1, VIDEO, 40))),
    Field("Cardiology", "cardiology", "cardiologist", "activity", 28,
          ("rhythm disorders", "high blood pressure", "heart failure"),
          (Treatment("First visit with ECG", 2, HERE, 135), Treatment("Follow-up", 1, HERE, 70),
           Treatment("Results by video", 1, VIDEO, 45), Treatment("Exercise test", 3, HERE, 180))),
    Field("Gynaecology", "gynaecology", "gynaecologist", "venus", 34,
          ("pregnancy", "endometriosis", "menopause"),
          (Treatment("Check-up", 1, HERE, 72), Treatment("First visit", 2, HERE, 98),
           Treatment("Ultrasound", 1, HERE, 85), Treatment("Video consultation", 1, VIDEO, 50))),
    Field("Physiotherapy", "physiotherapy", "physiotherapist", "accessibility", 46,
          ("back and neck", "recovery after surgery", "runners"),
          (Treatment("Treatment", 1, HERE, 42), Treatment("First assessment", 2, HERE, 64),
           Treatment("Video exercises", 1, VIDEO, 32))),
    Field("Neurology", "neurology", "neurologist", "scan", 20,
          ("migraine", "epilepsy", "Parkinson's disease"),
          (Treatment("First visit", 2, HERE, 130), Treatment("Follow-up", 1, HERE, 68),
           Treatment("Migraine by video", 1, VIDEO, 55))),
    Field("Endocrinology", "endocrinology", "endocrinologist", "droplet", 16,
          ("diabetes", "thyroid", "hormones and bones"),
          (Treatment("First visit", 2, HERE, 118), Treatment("Follow-up", 1, HERE, 60),
           Treatment("Results by phone", 1, PHONE, 28))),
    Field("Urology", "urology", "urologist", "droplets", 18,
          ("kidney stones", "prostate", "bladder trouble"),
          (Treatment("First visit", 1, HERE, 90), Treatment("Check-up", 1, HERE, 70),
           Treatment("Follow-up", 1, PHONE, 32), Treatment("Bladder examination", 2, HERE, 150))),
    Field("Lung medicine", "lung-medicine", "lung specialist", "wind", 16,
          ("asthma", "COPD", "sleep apnoea"),
          (Treatment("First visit", 2, HERE, 120), Treatment("Lung function test", 1, HERE, 80),
           Treatment("Follow-up", 1, VIDEO, 45))),
    Field("Allergy", "allergy", "allergist", "flower-2", 16,
          ("hay fever", "food allergy", "allergic children"),
          (Treatment("Allergy test", 2, HERE, 98), Treatment("Injection", 1, HERE, 35),
           Treatment("Results by video", 1, VIDEO, 40))),
    Field("Rheumatology", "rheumatology", "rheumatologist", "hand", 14,
          ("arthritis", "gout", "lupus"),
          (Treatment("First visit", 2, HERE, 122), Treatment("Follow-up", 1, HERE, 64),
           Treatment("Results by phone", 1, PHONE, 30))),
    Field("Oncology", "oncology", "oncologist", "ribbon", 14,
          ("breast cancer", "bowel cancer", "second opinions"),
          (Treatment("First visit", 3, HERE, 160), Treatment("Follow-up", 1, HERE, 75),
           Treatment("Second opinion by video", 2, VIDEO, 120))),
    Field("Psychiatry", "psychiatry", "psychiatrist", "heart-handshake", 28,
          ("depression", "bipolar disorder", "medication reviews"),
          (Treatment("First visit", 3, HERE, 150), Treatment("Session", 2, HERE, 98),
           Treatment("Medication review", 1, VIDEO, 55))),
    Field("Nutrition", "nutrition", "dietitian", "salad", 20,
          ("diabetes and food", "sports nutrition", "children who eat little"),
          (Treatment("First talk", 2, HERE, 68), Treatment("Follow-up", 1, VIDEO, 35),
           Treatment("Meal plan by phone", 1, PHONE, 30))),
    Field("Podiatry", "podiatry", "podiatrist", "footprints", 16,
          ("diabetic feet", "runners' feet", "insoles"),
          (Treatment("Treatment", 1, HERE, 44), Treatment("First assessment", 2, HERE, 66),
           Treatment("Insole fitting", 2, HERE, 90))),
    Field("Travel medicine", "travel-medicine", "travel doctor", "syringe", 12,
          ("malaria prevention", "long journeys", "pregnant travellers"),
          (Treatment("Travel advice", 1, HERE, 38), Treatment("Vaccination", 1, HERE, 30),
           Treatment("Advice by phone", 1, PHONE, 22))),
    Field("Internal medicine", "internal-medicine", "internist", "microscope", 22,
          ("unexplained tiredness", "high blood pressure", "older patients"),
          (Treatment("First visit", 2, HERE, 118), Treatment("Blood test", 1, HERE, 46),
           Treatment("Follow-up", 1, VIDEO, 48))),
    Field("Gastroenterology", "gastroenterology", "gastroenterologist", "pill", 14,
          ("reflux", "Crohn's disease", "food intolerance"),
          (Treatment("First visit", 2, HERE, 124), Treatment("Follow-up", 1, HERE, 62),
           Treatment("Results by phone", 1, PHONE, 30))),
)  # fmt: skip
